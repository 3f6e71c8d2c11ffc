import type { Grid } from "./grid.js";

/** The grid that quantize_k rounds [0, 1] to: codes 0…n, n = 2^bits − 1, one step 1/n apart. */
export interface UnitGrid extends Grid {
  /** fl(1/n). n times it is 1. */
  readonly scale: number;
  readonly zeroPoint: 0;
}

/** DoReFa's grid of `bits`. */
export function unitGrid(bits: number): UnitGrid {
  const levels = 2 ** bits - 1;
  return { scale: Math.fround(1 / levels), zeroPoint: 0, qmin: 0, qmax: levels };
}

/** Bits that leave everything as it is. */
export const UNTOUCHED_BITS = 32;

/** Checks bits of DoReFa: 1…16, or 32, which leaves everything as it is; throws RangeError. */
export function checkUnitBits(where: string, bits: number): void {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 16) && bits !== UNTOUCHED_BITS) {
    throw new RangeError(`${where}: expected bits in 1…16, or 32 for untouched, got ${String(bits)}`);
  }
}
