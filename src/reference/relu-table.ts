import type { RoundingRule } from "../core/rounding-rule.js";
import { activationBounds, type IntegerActivation } from "./activation-bounds.js";
import { type CodeMap, type CodeTable, codeTable } from "./code-table.js";
import { fixedPointMultiplier } from "./fixed-point-multiplier.js";
import { roundTwice } from "./requantize.js";
import { fl, roundTiesUp } from "./rounding.js";

/**
 * The table of relu or relu6 between codes of different parameters.
 *
 *     integer           clamp(zy + ⌊(q − zx)·(sx/sy) + ½⌋)                       (float64)
 *     tflite, float32   clamp(zy + roundTwice(q − zx, M)),   M = fl(sx/sy)
 *
 * between the activation's bounds, which are tflite's in float32 as well: XNNPACK leaves this op to the builtin kernels.
 * Errors: RangeError naming `where`, for sx/sy ≥ 2^8 (tflite and float32).
 */
export function reluTable(
  where: string,
  activation: IntegerActivation,
  { input, output }: CodeMap,
  rounding: RoundingRule,
): CodeTable {
  const [zx, zy] = [input.zeroPoint, output.zeroPoint];
  if (rounding === "integer") {
    const { qmin, qmax } = activationBounds(activation, output, "integer");
    const ratio = input.scale / output.scale;
    return codeTable((q) => zy + roundTiesUp((q - zx) * ratio), qmin, qmax);
  }
  const { qmin, qmax } = activationBounds(activation, output, "tflite");
  const multiplier = fixedPointMultiplier(where, fl(input.scale / output.scale));
  return codeTable((q) => zy + roundTwice(q - zx, multiplier), qmin, qmax);
}
