import type { FixedPointMultiplier } from "./fixed-point-multiplier.js";
import { fl, roundTiesAway, roundTiesToEven, roundTiesUp } from "./rounding.js";

/** Where sums go: y = clamp(zeroPoint + round(acc · M), qmin, qmax). */
export interface OutputCodes {
  readonly zeroPoint: number;
  /** Lower bound: −128, the grid's own, or that of a fused activation. */
  readonly qmin: number;
  /** Upper bound: 127, or that of a fused activation. */
  readonly qmax: number;
}

/**
 * How int32 sums become codes; one multiplier per output channel.
 *
 * once: (acc·m + 2^(30+shift)) >> (31+shift) in 64 bits, ties up.
 * twice: gemmlowp's doubling high multiply (ties up), then its rounding shift (ties away from zero).
 * float32: rne(fl(fl(acc) · scale)).
 */
export type Requantization =
  | (OutputCodes & {
      readonly rounding: "once" | "twice";
      /** Q0.31: 0, or 2^30 ≤ multiplier < 2^31. */
      readonly multiplier: Int32Array;
      /** −8…31, right when positive. */
      readonly shift: Int32Array;
    })
  | (OutputCodes & {
      readonly rounding: "float32";
      readonly scale: Float32Array;
    });

/**
 * The code of one sum of output channel c.
 *
 *     y = clamp(zeroPoint + round(acc · M[c]), qmin, qmax)
 *
 * acc is an int32. Rounding: as Requantization says. Overflow: none; the sum is clamped before it is narrowed.
 * Source: Jacob et al. 2018, eq. 5–6.
 */
export function requantize(acc: number, to: Requantization, c: number): number {
  const rounded = to.rounding === "float32" ? roundFloat32(acc, to.scale[c]) : roundFixedPoint(acc, to, c);
  return Math.max(to.qmin, Math.min(to.qmax, rounded + to.zeroPoint));
}

function roundFixedPoint(acc: number, to: Exclude<Requantization, { rounding: "float32" }>, c: number): number {
  const round = to.rounding === "once" ? roundOnce : roundTwice;
  return round(acc, { multiplier: to.multiplier[c], shift: to.shift[c] });
}

/** acc · M rounded once in float32: ties to even. fl(acc) is itself rounded beyond 2^24. */
export function roundFloat32(acc: number, scale: number): number {
  return roundTiesToEven(fl(fl(acc) * scale));
}

/**
 * ⌊acc · M + ½⌋, exact: (acc · multiplier + 2^(30+shift)) >> (31+shift) of 64-bit integers.
 *
 * The product of 62 bits is held as high · 2^15 + low, 0 ≤ low < 2^15. The divisor 2^(31+shift) is at least 2^23, so `low` can never
 * carry into the quotient, and high < 2^48 is exact in float64, with room for the half.
 */
export function roundOnce(acc: number, { multiplier, shift }: FixedPointMultiplier): number {
  const high = (acc >> 15) * multiplier + Math.floor(((acc & 0x7fff) * multiplier) / 2 ** 15);
  return roundTiesUp(high / 2 ** (16 + shift));
}

/**
 * acc · M with two roundings: a doubling high multiply, (acc' · multiplier + 2^30) >> 31, then a division by 2^shift, ties away
 * from zero.
 *
 * A left shift comes first, in 32 bits that wrap: acc' = acc << −shift. Source: gemmlowp, fixedpoint.h.
 */
export function roundTwice(acc: number, { multiplier, shift }: FixedPointMultiplier): number {
  const high = roundOnce(shift < 0 ? acc << -shift : acc, { multiplier, shift: 0 });
  if (shift <= 0) return high;
  return roundTiesAway(high / 2 ** shift);
}
