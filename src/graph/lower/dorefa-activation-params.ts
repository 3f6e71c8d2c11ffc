import type { QuantParams } from "../../core/quant-params.js";
import { SIGN_GRID, unitGrid } from "../../core/unit-grid.js";

const TOP = 127;

/**
 * The int8 grid of DoReFa's activations, moved to the top: q/n · bound is scale · (code − zeroPoint), code = q + 127 − n.
 *
 *     scale = fl(bound/n),  zeroPoint = qmin = 127 − n,  qmax = 127,  n = 2^bits − 1
 *
 * So int8 saturation is the upper clamp, and the lower one is the zero point. Signs, ±1, are their own codes: scale 1, zero
 * point 0, grid [−1, 1].
 *
 * @param bits 1…8
 * @param activation upper end, a float32, and whether 1 bit is the sign
 *
 * Errors: RangeError for other bits; `where` begins the message.
 * Source: docs/numerics.md, "DoReFa in integers".
 */
export function dorefaActivationParams(
  where: string,
  bits: number,
  { bound, sign }: { readonly bound: number; readonly sign: boolean },
): QuantParams & { readonly scale: number; readonly zeroPoint: number } {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 8)) {
    throw new RangeError(`${where}: expected bits of activations in 1…8 for int8 codes, got ${bits}`);
  }
  if (sign && bits === 1) return SIGN_GRID;
  const { scale, qmax } = unitGrid(bits, bound);
  return { scale, zeroPoint: TOP - qmax, qmin: TOP - qmax, qmax: TOP };
}
