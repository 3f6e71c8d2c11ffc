import { fl, roundTiesToEven } from "./rounding.js";

/** What clamps inside of an op. */
export type IntegerActivation = "linear" | "relu" | "relu6";

/**
 * Codes between which an op's output lies.
 *
 *     relu   max(qmin, zeroPoint) … 127,     relu6   max(qmin, zeroPoint) … min(127, zeroPoint + rne(fl(6 / scale)))
 *
 * qmin: the output's own lower bound. Rounding: as quantize, ties to even before the zero point is added.
 */
export function activationBounds(
  activation: IntegerActivation,
  { scale, zeroPoint, qmin = -128 }: { readonly scale: number; readonly zeroPoint: number; readonly qmin?: number },
): { readonly qmin: number; readonly qmax: number } {
  if (activation === "linear") return { qmin, qmax: 127 };
  const six = activation === "relu6" ? zeroPoint + roundTiesToEven(fl(6 / scale)) : 127;
  return { qmin: Math.max(qmin, zeroPoint), qmax: Math.min(127, six) };
}
