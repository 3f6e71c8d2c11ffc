import { QuantError } from "../core/errors.js";

/** A factor as integers: M = multiplier · 2^(−31 − shift). */
export interface FixedPoint {
  /** 0, or 2^30 ≤ multiplier < 2^31. */
  readonly multiplier: number;
  /** −8…31, to the right when positive. */
  readonly shift: number;
}

/**
 * The factor M of a requantization as integers.
 *
 *     multiplier = round(f · 2^31),  shift = −e,  M = f · 2^e,  ½ ≤ f < 1
 *
 * Rounding: once, half away from zero; 2^31 becomes 2^30 with the next exponent. M < 2^−32 gives multiplier 0.
 * Errors: QuantError `unsupported` for M ≥ 2^8 or no number > 0; `where` begins the message.
 * Source: Jacob et al. 2018, eq. 6.
 */
export function fixedPoint(where: string, M: number): FixedPoint {
  if (!(M > 0 && M < 2 ** 8)) throw beyond(where, M);
  if (M < 2 ** -32) return { multiplier: 0, shift: 0 };
  let exponent = Math.floor(Math.log2(M)) + 1;
  // log2 may be a rounding off next to powers of two.
  while (M * 2 ** -exponent >= 1) exponent++;
  while (M * 2 ** -exponent < 0.5) exponent--;
  const multiplier = Math.round(M * 2 ** (31 - exponent));
  const shift = 0 - exponent; // −exponent could be −0
  if (multiplier < 2 ** 31) return { multiplier, shift };
  if (shift === -8) throw beyond(where, M);
  return { multiplier: 2 ** 30, shift: shift - 1 };
}

/**
 * One accumulator times M, rounded: what is added to the output's zero point before it is clamped.
 *
 *     (acc · multiplier + 2^(30 + shift)) >> (31 + shift)      in 64 bits
 *
 * Rounding: once, to nearest, ties toward +infinity. acc is an int32.
 * Source: Jacob et al. 2018, eq. 7.
 */
export function requantize(acc: number, { multiplier, shift }: FixedPoint): number {
  return Number((BigInt(acc) * BigInt(multiplier) + 2n ** BigInt(30 + shift)) >> BigInt(31 + shift));
}

/** The smallest accumulator that requantizes to `value` or more, also beyond int32; ±Infinity where the multiplier is 0. */
export function smallestAccumulator(value: number, { multiplier, shift }: FixedPoint): number {
  if (multiplier === 0) return value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const needed = BigInt(value) * 2n ** BigInt(31 + shift) - 2n ** BigInt(30 + shift);
  const m = BigInt(multiplier);
  // BigInt division cuts toward zero; this is the ceiling.
  return Number(needed > 0n ? (needed + m - 1n) / m : needed / m);
}

function beyond(where: string, M: number): QuantError {
  return new QuantError("unsupported", `${where}: expected a multiplier in (0, 2^8), got ${M}`, { multiplier: M });
}
