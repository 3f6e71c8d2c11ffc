import type { Shape } from "../core/shape.js";
import { broadcastIndex } from "./broadcast.js";
import type { FixedPointMultiplier } from "./fixed-point-multiplier.js";
import { type OutputCodes, roundTwice } from "./requantize.js";
import { roundTiesUp } from "./rounding.js";

/**
 * How two codes become the code of their sum or difference.
 *
 * once: multipliers of one scale 2^−shift, one rounding, ties up. A difference has a negative bMultiplier.
 * twice: TensorFlow Lite's, both inputs shifted left by 20 and brought to a common scale, each step with gemmlowp's two roundings.
 */
export type Addition = OutputCodes & { readonly aZeroPoint: number; readonly bZeroPoint: number } & (
    | {
        readonly rounding: "once";
        /** Below 2^28, as is bMultiplier's magnitude. */
        readonly aMultiplier: number;
        readonly bMultiplier: number;
        /** 12…30. */
        readonly shift: number;
      }
    | {
        readonly rounding: "twice";
        readonly a: FixedPointMultiplier;
        readonly b: FixedPointMultiplier;
        /** +1: sum, −1: difference. */
        readonly sign: 1 | -1;
        readonly sum: FixedPointMultiplier;
      }
  );

/** The left shift of `twice`: 9 bits of difference, a sign, and 20 bits below. */
export const ADDITION_LEFT_SHIFT = 20;

/**
 * Sum or difference of two tensors of codes; sizes of 1 broadcast.
 *
 *     once    y = clamp(zeroPoint + (((a − za)·aMultiplier + (b − zb)·bMultiplier + 2^(shift−1)) >> shift), qmin, qmax)
 *     twice   y = clamp(zeroPoint + r(r((a − za) << 20, a) ± r((b − zb) << 20, b), sum), qmin, qmax),   r = roundTwice
 *
 * a and b in their shapes, out in `shape`, written. Overflow: none; sums stay below 2^37 in 64 bits (once, |multiplier| < 2^28).
 */
export function integerAdd(
  a: Int8Array,
  b: Int8Array,
  addition: Addition,
  shapes: { readonly a: Shape; readonly b: Shape; readonly out: Shape },
  out: Int8Array,
): void {
  const aIndex = broadcastIndex(shapes.a, shapes.out);
  const bIndex = broadcastIndex(shapes.b, shapes.out);
  const { aZeroPoint, bZeroPoint, zeroPoint, qmin, qmax } = addition;
  for (let i = 0; i < out.length; i++) {
    const sum = addDifferences(a[aIndex[i]] - aZeroPoint, b[bIndex[i]] - bZeroPoint, addition);
    out[i] = Math.max(qmin, Math.min(qmax, zeroPoint + sum));
  }
}

function addDifferences(a: number, b: number, addition: Addition): number {
  if (addition.rounding === "once") {
    return roundTiesUp((a * addition.aMultiplier + b * addition.bMultiplier) / 2 ** addition.shift);
  }
  const scaled = (x: number, m: FixedPointMultiplier) => roundTwice(x << ADDITION_LEFT_SHIFT, m);
  return roundTwice(scaled(a, addition.a) + addition.sign * scaled(b, addition.b), addition.sum);
}
