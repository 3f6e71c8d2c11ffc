import type { QuantParams } from "../../core/quant-params.js";
import type { Int8Tensor } from "../quantized-graph.js";

/** How the codes of an int8 tensor stand for values, and which of them occur. */
export type CodeGrid = Pick<Int8Tensor, "scale" | "zeroPoint" | "qmin">;

/** What softmax and logistic give: [0, 1). Source: TensorFlow Lite 8-bit quantization specification. */
export const UNIT_INTERVAL: CodeGrid = { scale: 1 / 256, zeroPoint: -128 };

/** What tanh gives: [−1, 1). */
export const SYMMETRIC_UNIT: CodeGrid = { scale: 1 / 128, zeroPoint: 0 };

/**
 * A grid of at most 256 codes, moved to the top of int8.
 *
 *     code' = code + 127 − qmax
 *
 * So saturation to int8 is the upper bound whatever the bits, and qmin the lower one; grids of 8 bits have none.
 */
export function codeGrid({ scale, zeroPoint, qmin, qmax }: QuantParams): CodeGrid {
  const moved = (code: number): number => code + 127 - qmax;
  const grid = { scale: Math.fround(scale as number), zeroPoint: moved(zeroPoint as number) };
  return moved(qmin) === -128 ? grid : { ...grid, qmin: moved(qmin) };
}

/** Whether equal codes stand for equal values. */
export function sameCodes(a: CodeGrid, b: CodeGrid): boolean {
  return a.scale === b.scale && a.zeroPoint === b.zeroPoint && a.qmin === b.qmin;
}
