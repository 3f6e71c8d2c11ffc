import type { FixedPointMultiplier } from "./fixed-point-multiplier.js";

/**
 * The smallest accumulator that becomes `value` or more when multiplied and rounded once, ties up, also beyond int32;
 * ±Infinity where the multiplier is 0.
 */
export function smallestAccumulator(value: number, { multiplier, shift }: FixedPointMultiplier): number {
  if (multiplier === 0) return value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const needed = BigInt(value) * 2n ** BigInt(31 + shift) - 2n ** BigInt(30 + shift);
  const m = BigInt(multiplier);
  // BigInt division cuts toward zero; this is the ceiling.
  return Number(needed > 0n ? (needed + m - 1n) / m : needed / m);
}
