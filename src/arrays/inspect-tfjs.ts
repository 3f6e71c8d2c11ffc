import { channelView } from "../core/shape.js";
import type { ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import type { QuantizableWeight } from "../formats/tfjs-model/quantizable.js";
import { quantizableWeights } from "../formats/tfjs-model/quantized-artifacts.js";
import { type StoredScales, storedQuantization } from "../formats/tfjs-model/stored-scales.js";
import { decodeFloats, type StoredWeight, splitWeights } from "../formats/tfjs-model/weight-data.js";
import { int8Sqnr, storedGrid, type TensorInspection } from "./inspection.js";
import type { WeightProgress } from "./quantize-tfjs.js";
import { summarizeValues } from "./summarize-values.js";

const BITS = { float32: 32, int32: 32, bool: 8, string: 8, complex64: 64, uint8: 8, uint16: 16, float16: 16 } as const;

/**
 * Looks into the weights of a tfjs model, one after the other, in the order of the file.
 *
 * Codes whose scales are kept elsewhere in the model (quantizeTfjs per channel) are shown with their real values; the tensors
 * of scales are weights of their own.
 *
 * Errors: QuantError `invalid-file` for weight data that does not match its specs, `invalid-model` for a binary topology.
 */
export function inspectTfjs(
  artifacts: ModelArtifacts,
  onProgress?: (progress: WeightProgress) => void,
): TensorInspection[] {
  const weights = splitWeights(artifacts);
  const roles = new Map(quantizableWeights(artifacts, weights).map((role) => [role.name, role]));
  const { bits, scales } = storedQuantization(artifacts, weights);
  return weights.map((weight, done) => {
    const { name } = weight.spec;
    onProgress?.({ name, done, total: weights.length });
    return { ...inspectWeight(weight, scales.get(name), roles.get(name)), ...bitsEntry(bits.get(name)) };
  });
}

function bitsEntry(bits: number | undefined): { bits: number } | undefined {
  return bits === undefined ? undefined : { bits };
}

function inspectWeight(
  weight: StoredWeight,
  scales: StoredScales | undefined,
  role: QuantizableWeight | undefined,
): TensorInspection {
  const { name, shape, dtype, quantization } = weight.spec;
  const stored = quantization?.dtype ?? dtype;
  const about = { name, shape, dtype: stored, bits: BITS[stored], bytes: weight.bytes.length };
  const decoded = decode(weight);
  if (decoded === undefined || decoded.length === 0) return about;
  if (!(decoded instanceof Float32Array)) return { ...about, values: summarizeValues(decoded) };
  if (scales !== undefined) {
    const data = scaled(decoded, scales);
    const grid = storedGrid({ data, shape: scales.viewShape }, scales.scale, scales.axis);
    return { ...about, values: summarizeValues(data), grid };
  }
  const values = summarizeValues(decoded);
  if (stored === "uint8" || stored === "uint16") {
    const scale = Float32Array.of(quantization?.scale ?? 1);
    return { ...about, values, grid: storedGrid({ data: decoded, shape }, scale, undefined) };
  }
  const preview = role === undefined ? undefined : int8Sqnr({ data: decoded, shape: role.viewShape }, role.axis);
  return { ...about, values, ...(preview === undefined ? {} : { int8Sqnr: preview }) };
}

/** The values of a weight; undefined for strings and complex numbers. */
function decode(weight: StoredWeight): Float32Array | Int32Array | Uint8Array | undefined {
  const { spec, bytes } = weight;
  if (spec.dtype === "float32") return decodeFloats(weight);
  // tfjs rounds integers that are stored in an affine form.
  if (spec.dtype === "int32" && spec.quantization !== undefined) return decodeFloats(weight).map(Math.round);
  if (spec.dtype === "int32") return new Int32Array(bytes.slice().buffer);
  return spec.dtype === "bool" ? bytes : undefined;
}

function scaled(codes: Float32Array, { scale, viewShape, axis }: StoredScales): Float32Array {
  const { channels, inner } = channelView(viewShape, axis);
  return codes.map((code, i) => code * scale[Math.floor(i / inner) % channels]);
}
