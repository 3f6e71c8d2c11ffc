import type { RoundingRule } from "../core/rounding-rule.js";
import { type CodeMap, type CodeTable, codeTable } from "./code-table.js";
import { fixedPointMultiplier } from "./fixed-point-multiplier.js";
import { roundTwice } from "./requantize.js";
import { fl, roundTiesToEven, roundTiesUp } from "./rounding.js";

/**
 * The table from codes of one scale and zero point to those of another.
 *
 *     integer   zy + ⌊(q − zx)·(sx/sy) + ½⌋                                     (float64)
 *     tflite    zy + roundTwice(q − zx, M),   M = sx/sy
 *     float32   zy + (((q − zx)·m + 2^7) >> 8),   m = rne(2^8·fl(sx/sy)), where XNNPACK takes it: 2^−8 ≤ fl(sx/sy) ≤ 2^7; else tflite
 *
 * Errors: RangeError naming `where`, for sx/sy ≥ 2^8 (tflite and float32).
 */
export function requantizeTable(where: string, { input, output }: CodeMap, rounding: RoundingRule): CodeTable {
  const { qmin } = output;
  const [zx, zy] = [input.zeroPoint, output.zeroPoint];
  if (rounding === "integer") {
    const ratio = input.scale / output.scale;
    return codeTable((q) => zy + roundTiesUp((q - zx) * ratio), qmin);
  }
  if (rounding === "float32" && fitsSteps(fl(input.scale / output.scale))) {
    return codeTable((q) => zy + multiplyInSteps(q - zx, fl(input.scale / output.scale)), qmin);
  }
  const multiplier = fixedPointMultiplier(where, input.scale / output.scale);
  return codeTable((q) => zy + roundTwice(q - zx, multiplier), qmin);
}

/** Whether XNNPACK multiplies by a ratio of scales in 16 bits. */
export function fitsSteps(ratio: number): boolean {
  return ratio >= 2 ** -8 && ratio <= 2 ** 7;
}

/** XNNPACK's product of a difference of codes and a float32 ratio: in steps of 2^−8, ties up. */
export function multiplyInSteps(difference: number, ratio: number): number {
  return roundTiesUp((difference * roundTiesToEven(fl(ratio * 2 ** 8))) / 2 ** 8);
}
