import type { RoundingRule } from "../core/rounding-rule.js";
import { type CodeMap, type CodeTable, codeTable } from "./code-table.js";
import { fixedPointMultiplier } from "./fixed-point-multiplier.js";
import { roundTwice } from "./requantize.js";
import { fitsSteps, multiplyInSteps } from "./requantize-table.js";
import { fl, roundTiesUp } from "./rounding.js";

/**
 * The table of x where x ≥ 0, else alpha·x.
 *
 *     integer   zy + ⌊(q − zx)·k + ½⌋,   k = sx/sy or alpha·sx/sy                (float64)
 *     tflite    zy + roundTwice(q − zx, M),   M = fl(sx/sy) or fl(fl(sx·alpha)/sy), alpha ≥ 0
 *     float32   zy + (((q − zx)·m + 2^7) >> 8),   m = rne(2^8·k), k = fl(sx/sy) or fl(fl(sx/sy)·alpha), where XNNPACK takes both:
 *               2^−8 ≤ |k| ≤ 2^7; else tflite
 *
 * Errors: RangeError naming `where`, for a multiplier outside of [0, 2^8) (tflite and float32).
 */
export function leakyReluTable(
  where: string,
  alpha: number,
  { input, output }: CodeMap,
  rounding: RoundingRule,
): CodeTable {
  const { qmin } = output;
  const [zx, zy] = [input.zeroPoint, output.zeroPoint];
  if (rounding === "integer") {
    const ratio = input.scale / output.scale;
    return codeTable((q) => zy + roundTiesUp((q - zx) * (q >= zx ? ratio : ratio * alpha)), qmin);
  }
  const ratio = fl(input.scale / output.scale);
  const negative = fl(ratio * alpha);
  if (rounding === "float32" && fitsSteps(ratio) && fitsSteps(Math.abs(negative))) {
    return codeTable((q) => zy + multiplyInSteps(q - zx, q >= zx ? ratio : negative), qmin);
  }
  const above = fixedPointMultiplier(where, ratio);
  const below = fixedPointMultiplier(where, fl(fl(input.scale * alpha) / output.scale));
  return codeTable((q) => zy + roundTwice(q - zx, q >= zx ? above : below), qmin);
}
