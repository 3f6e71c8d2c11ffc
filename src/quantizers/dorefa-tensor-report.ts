import type { Tensor } from "../core/tensor.js";
import { largestMagnitude } from "../reference/largest-magnitude.js";
import { fl } from "../reference/rounding.js";
import { tanh } from "../reference/tanh.js";
import { dorefaWeights } from "../wasm/dorefa-weights.js";
import { sqnr, type TensorReport } from "./report.js";

/**
 * Report of weights that DoReFa rounds to 1…16 bits.
 *
 * SQNR is that of the rounding alone, against tanh(w) / tanh(max|w|), or against w with 1 bit: tanh and the maximum are part of
 * the function that training learns with. Bytes: 1 bit packs into 2, up to 8 are one byte, more two; and one scale.
 * Errors: QuantError `non-finite`, naming the index.
 */
export function dorefaTensorReport(name: string, { data, shape }: Tensor, bits: number): TensorReport {
  const rounded = dorefaWeights(data, bits);
  const limit = tanh(largestMagnitude(data) as number) || 1;
  const before = bits === 1 ? data : data.map((w) => fl(tanh(w) / limit));
  const stored = bits === 1 ? 2 : bits <= 8 ? 8 : 16;
  const scale = bits === 1 ? Math.abs(rounded[0]) : fl(1 / (2 ** bits - 1));
  return {
    name,
    shape,
    bits,
    granularity: "perTensor",
    bytesBefore: data.byteLength,
    bytesAfter: Math.ceil((data.length * stored) / 8) + 4,
    sqnr: sqnr(before, rounded),
    scales: [scale, scale],
  };
}
