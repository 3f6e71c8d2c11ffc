import { QuantError } from "../../core/errors.js";
import { decodeFloat16 } from "../../core/float16.js";
import { formatShape, sizeOf } from "../../core/shape.js";
import { fl } from "../../reference/rounding.js";
import { isJson, kindOf, type ModelArtifacts, type WeightSpec } from "./artifacts.js";

const BYTES_PER_ELEMENT = { float32: 4, int32: 4, bool: 1, complex64: 8, uint8: 1, uint16: 2, float16: 2 } as const;

/** One weight with the bytes that store it. */
export interface StoredWeight {
  readonly spec: WeightSpec;
  readonly bytes: Uint8Array;
}

/**
 * Cuts the weight data of a tfjs model into its weights, without decoding them.
 *
 * All weights lie one after the other in the order of the specs, little endian, unaligned.
 * Errors: QuantError `invalid-file` for a bad name, shape, dtype or quantization, a repeated name, or data whose length does
 * not match.
 */
export function splitWeights(artifacts: ModelArtifacts): StoredWeight[] {
  const data = joined(artifacts.weightData);
  const seen = new Set<string>();
  const weights: StoredWeight[] = [];
  let offset = 0;
  const specs = artifacts.weightSpecs ?? [];
  if (!Array.isArray(specs)) throw fileError(`expected weight specs as a list, got ${kindOf(specs)}`);
  for (const spec of specs as readonly WeightSpec[]) {
    checkSpec(spec);
    if (seen.has(spec.name)) throw fileError(`expected weight names once each, got "${spec.name}" twice`, spec);
    seen.add(spec.name);
    const length = spec.dtype === "string" ? stringBytes(data, offset, spec) : storedBytes(spec);
    if (!(offset + length <= data.length)) {
      throw fileError(
        `expected ${length} bytes for "${spec.name}" ${formatShape(spec.shape)}, got ${Math.max(0, data.length - offset)}`,
        spec,
      );
    }
    weights.push({ spec, bytes: data.subarray(offset, offset + length) });
    offset += length;
  }
  if (offset !== data.length) {
    throw fileError(`expected ${offset} bytes of weights, got ${data.length}`);
  }
  return weights;
}

/**
 * The values of a float weight.
 *
 * Affine forms decode as tfjs does, value = fl(stored · scale + min) with the sum in float64; float16 exactly.
 */
export function decodeFloats({ spec, bytes }: StoredWeight): Float32Array {
  const { quantization } = spec;
  const values = new Float32Array(sizeOf(spec.shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (quantization === undefined) {
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
    return values;
  }
  const { dtype, scale = 1, min = 0 } = quantization;
  if (dtype === "float16") return decodeFloat16(Uint16Array.from(values, (_, i) => view.getUint16(2 * i, true)));
  for (let i = 0; i < values.length; i++) {
    values[i] = fl((dtype === "uint8" ? bytes[i] : view.getUint16(2 * i, true)) * scale + min);
  }
  return values;
}

/** Weights as the specs and the data of a tfjs model. */
export function joinWeights(weights: readonly StoredWeight[]): { weightSpecs: WeightSpec[]; weightData: ArrayBuffer } {
  const data = new Uint8Array(weights.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let offset = 0;
  for (const { bytes } of weights) {
    data.set(bytes, offset);
    offset += bytes.length;
  }
  return { weightSpecs: weights.map(({ spec }) => spec), weightData: data.buffer };
}

/** A float weight stored as float32. */
export function floatWeight(name: string, shape: readonly number[], values: Float32Array): StoredWeight {
  return { spec: { name, shape, dtype: "float32" }, bytes: littleEndian(values) };
}

function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.byteLength);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return bytes;
}

function joined(data: ModelArtifacts["weightData"]): Uint8Array {
  if (data === undefined) return new Uint8Array(0);
  if (!Array.isArray(data)) return new Uint8Array(data as ArrayBuffer);
  const parts = data as readonly ArrayBuffer[];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), offset);
    offset += part.byteLength;
  }
  return all;
}

function storedBytes(spec: WeightSpec): number {
  const stored = spec.quantization?.dtype ?? spec.dtype;
  return sizeOf(spec.shape) * BYTES_PER_ELEMENT[stored as keyof typeof BYTES_PER_ELEMENT];
}

/** Strings are stored as a uint32 length and as many bytes, each. */
function stringBytes(data: Uint8Array, start: number, spec: WeightSpec): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = start;
  for (let i = 0; i < sizeOf(spec.shape); i++) {
    if (offset + 4 > data.length) throw fileError(`expected a string in "${spec.name}", got the end of the data`, spec);
    offset += 4 + view.getUint32(offset, true);
  }
  return offset - start;
}

function checkSpec(spec: WeightSpec): void {
  if (typeof spec?.name !== "string")
    throw fileError(`expected a weight name, got ${JSON.stringify(spec?.name)}`, spec);
  const { name, shape, dtype, quantization } = spec;
  const whole = Array.isArray(shape) && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!whole || !Number.isSafeInteger(8 * sizeOf(shape))) {
    throw fileError(`expected a shape for "${name}", got ${JSON.stringify(shape)}`, spec);
  }
  if (!["float32", "int32", "bool", "string", "complex64"].includes(dtype)) {
    throw fileError(`expected a dtype for "${name}", got ${JSON.stringify(dtype)}`, spec);
  }
  if (quantization === undefined) return;
  if (!isJson(quantization)) {
    throw fileError(`expected quantization of "${name}" as an object, got ${JSON.stringify(quantization)}`, spec);
  }
  const affine = quantization.dtype === "uint8" || quantization.dtype === "uint16";
  if (!affine && quantization.dtype !== "float16") {
    throw fileError(`expected uint8, uint16 or float16 for "${name}", got ${JSON.stringify(quantization.dtype)}`, spec);
  }
  if (affine && !(Number.isFinite(quantization.scale) && Number.isFinite(quantization.min))) {
    throw fileError(`expected scale and min for "${name}", got ${quantization.scale} and ${quantization.min}`, spec);
  }
}

function fileError(text: string, spec?: { readonly name?: string }): QuantError {
  return new QuantError("invalid-file", `tfjs model: ${text}`, spec?.name === undefined ? {} : { weight: spec.name });
}

/** The value of an IEEE 754 half. */
