import type { Grid } from "./grid.js";

/** The grid that quantize_k rounds [0, bound] to, bound 1 as a rule: codes 0…n, n = 2^bits − 1, one step bound/n apart. */
export interface UnitGrid extends Grid {
  /** fl(bound/n). With bound 1, n times it is 1. */
  readonly scale: number;
  readonly zeroPoint: 0;
}

/** DoReFa's grid of `bits` on [0, bound]; the bound is a float32. */
export function unitGrid(bits: number, bound = 1): UnitGrid {
  const levels = 2 ** bits - 1;
  return { scale: Math.fround(bound / levels), zeroPoint: 0, qmin: 0, qmax: levels };
}

/** The grid of activations of 1 bit that are their sign: −1 and 1; 0 is on it, but never given. */
export const SIGN_GRID = { scale: 1, zeroPoint: 0, qmin: -1, qmax: 1 } as const;

/** Bits that leave everything as it is. */
export const UNTOUCHED_BITS = 32;

/** Checks bits of DoReFa: 1…16, or 32, which leaves everything as it is; throws RangeError. */
export function checkUnitBits(where: string, bits: number): void {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 16) && bits !== UNTOUCHED_BITS) {
    throw new RangeError(`${where}: expected bits in 1…16, or 32 for untouched, got ${String(bits)}`);
  }
}

/** Checks the upper end of activations: in [2^−100, 2^100], so that neither grid nor products leave float32; throws RangeError. */
export function checkBound(where: string, name: string, bound: number): void {
  if (typeof bound !== "number" || !(bound >= 2 ** -100 && bound <= 2 ** 100)) {
    throw new RangeError(`${where}: expected ${name} in [2^-100, 2^100], got ${String(bound)}`);
  }
}
