/** One rounding to float32. */
export const fl = Math.fround;

// Adding 1.5·2^52 leaves no bits for the fraction, and the addition itself rounds ties to even.
const MAGIC = 1.5 * 2 ** 52;

/** Round to nearest, ties to even. Exact for |x| < 2^51 and for every float32; never returns −0 for |x| < 2^51. */
export function roundTiesToEven(x: number): number {
  return Math.abs(x) < 2 ** 51 ? x + MAGIC - MAGIC : x;
}

/** Round to nearest, ties up: toward +∞. Exact for |x| < 2^52. */
export function roundTiesUp(x: number): number {
  return Math.floor(x + 0.5);
}

/** Round to nearest, ties away from zero; never returns −0. Exact for |x| < 2^52. */
export function roundTiesAway(x: number): number {
  return x < 0 ? 0 - Math.floor(0.5 - x) : Math.floor(x + 0.5);
}
