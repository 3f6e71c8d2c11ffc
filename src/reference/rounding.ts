/** One rounding to float32. */
export const fl = Math.fround;

// Adding 1.5·2^52 leaves no bits for the fraction, and the addition itself rounds ties to even.
const MAGIC = 1.5 * 2 ** 52;

/** Round to nearest, ties to even. Exact for |x| < 2^51 and for every float32; never returns −0 for |x| < 2^51. */
export function roundTiesToEven(x: number): number {
  return Math.abs(x) < 2 ** 51 ? x + MAGIC - MAGIC : x;
}
