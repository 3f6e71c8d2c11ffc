import type { RoundingRule } from "../core/rounding-rule.js";
import { fl, roundTiesAway, roundTiesToEven } from "./rounding.js";

/** What clamps inside of an op. */
export type IntegerActivation = "linear" | "relu" | "relu6";

/**
 * Codes between which an op's output lies.
 *
 *     relu    max(qmin, zeroPoint) … 127
 *     relu6   max(qmin, zeroPoint) … min(127, the code of 6)
 *
 * qmin: the output's own lower bound. The code of 6 with v = fl(6 / scale):
 *
 *     integer   zeroPoint + rne(v), as quantize
 *     tflite    zeroPoint + v rounded, ties away from zero
 *     float32   rne(fl(v + zeroPoint)): XNNPACK adds the zero point before it rounds
 */
export function activationBounds(
  activation: IntegerActivation,
  { scale, zeroPoint, qmin = -128 }: { readonly scale: number; readonly zeroPoint: number; readonly qmin?: number },
  rounding: RoundingRule,
): { readonly qmin: number; readonly qmax: number } {
  if (activation === "linear") return { qmin, qmax: 127 };
  const six = activation === "relu6" ? codeOfSix(fl(6 / scale), zeroPoint, rounding) : 127;
  return { qmin: Math.max(qmin, zeroPoint), qmax: Math.min(127, six) };
}

function codeOfSix(steps: number, zeroPoint: number, rounding: RoundingRule): number {
  if (rounding === "float32") return roundTiesToEven(fl(steps + zeroPoint));
  return zeroPoint + (rounding === "integer" ? roundTiesToEven(steps) : roundTiesAway(steps));
}
