import { QuantError } from "../core/errors.js";
import type { QuantParams } from "../core/quant-params.js";
import type { Shape } from "../core/shape.js";
import type { QuantizedTensor } from "../core/tensor.js";
import { isJson } from "../formats/tfjs-model/artifacts.js";

// A compressed model carries its parameters in userDefinedMetadata, so that the model alone, in any process, is enough to
// store it in one byte per weight. Scales are float32 written as doubles, so JSON keeps every bit.

interface StoredParams {
  readonly shape: Shape;
  readonly qmin: number;
  readonly qmax: number;
  readonly scale: number | readonly number[];
  readonly zeroPoint: number | readonly number[];
  readonly axis?: number;
}

/** The metadata of a model that a quantizer made. */
export function quantizationMetadata(quantizer: string, quantized: ReadonlyMap<string, QuantizedTensor>): object {
  const weights = Object.fromEntries(
    [...quantized].map(([name, { shape, params }]): [string, StoredParams] => {
      const { qmin, qmax, scale, zeroPoint, axis } = params;
      return [
        name,
        {
          shape,
          qmin,
          qmax,
          scale: typeof scale === "number" ? scale : Array.from(scale),
          zeroPoint: typeof zeroPoint === "number" ? zeroPoint : Array.from(zeroPoint),
          ...(axis === undefined ? {} : { axis }),
        },
      ];
    }),
  );
  return { bitpress: { version: 1, quantizer, weights } };
}

/** Parameters by weight name, with the shape their axis refers to. */
export type ModelParams = ReadonlyMap<string, { readonly shape: Shape; readonly params: QuantParams }>;

/**
 * Reads the parameters back from a model's metadata.
 *
 * Errors: QuantError `invalid-model` when the model carries none, was stored in one byte already, or carries parameters that
 * no quantizer wrote.
 */
export function readQuantizationMetadata(where: string, metadata: unknown): ModelParams {
  const ours = isJson(metadata) ? metadata.bitpress : undefined;
  if (!isJson(ours) || !isJson(ours.weights)) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected a model made by a bitpress quantizer, got one without its metadata; call compress first`,
    );
  }
  return new Map(Object.entries(ours.weights).map(([name, stored]) => [name, readParams(where, name, stored)]));
}

function readParams(where: string, name: string, stored: unknown): { shape: Shape; params: QuantParams } {
  if (isJson(stored) && "form" in stored) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected "${name}" in float32, got codes; a model stored in one byte per weight cannot be stored again`,
      { name },
    );
  }
  if (!isStoredParams(stored)) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected quantization parameters for "${name}" in userDefinedMetadata, got damaged ones; call compress again`,
      { name },
    );
  }
  const { shape, qmin, qmax, scale, zeroPoint, axis } = stored;
  const params = {
    qmin,
    qmax,
    scale: typeof scale === "number" ? scale : Float32Array.from(scale),
    zeroPoint: typeof zeroPoint === "number" ? zeroPoint : Int32Array.from(zeroPoint),
    ...(axis === undefined ? {} : { axis }),
  };
  return { shape, params };
}

function isStoredParams(value: unknown): value is StoredParams {
  if (!isJson(value) || !Array.isArray(value.shape)) return false;
  const { scale, zeroPoint, shape, axis, qmin, qmax } = value;
  const isCode = (x: unknown): x is number => Number.isInteger(x) && Math.abs(x as number) <= 128;
  if (!isCode(qmin) || !isCode(qmax) || qmin >= qmax) return false;
  const isScale = (x: unknown): boolean => typeof x === "number" && Math.fround(x) > 0 && Math.fround(x) < Infinity;
  const isZeroPoint = (x: unknown): boolean => isCode(x) && x >= qmin && x <= qmax;
  if (axis === undefined) return isScale(scale) && isZeroPoint(zeroPoint);
  const channels = Number.isInteger(axis) ? shape[axis as number] : undefined;
  const many = (list: unknown, holds: (x: unknown) => boolean): boolean =>
    Array.isArray(list) && list.length === channels && list.every(holds);
  return many(scale, isScale) && many(zeroPoint, isZeroPoint);
}
