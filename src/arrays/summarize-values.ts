/** How the values of a tensor are spread. */
export interface ValueSummary {
  /** Smallest and largest finite value; both NaN when there is none. */
  readonly min: number;
  readonly max: number;
  /** Finite values in each of 16 equal parts of [min, max]. */
  readonly histogram: readonly number[];
  /** How many values are NaN or infinite, and the index of the first (−1: none). */
  readonly nonFinite: number;
  readonly firstNonFinite: number;
}

const BINS = 16;

/**
 * Range and histogram of values.
 *
 * A value x falls into part ⌊16 · (x − min) / (max − min)⌋ (the largest into the last one), computed in float64; when all
 * are equal, into the part right of the middle.
 *
 * @param x one value at least
 */
export function summarizeValues(x: ArrayLike<number>): ValueSummary {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nonFinite = 0;
  let firstNonFinite = -1;
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i])) {
      if (x[i] < min) min = x[i];
      if (x[i] > max) max = x[i];
    } else if (nonFinite++ === 0) {
      firstNonFinite = i;
    }
  }
  const histogram = new Array<number>(BINS).fill(0);
  if (nonFinite === x.length) return { min: Number.NaN, max: Number.NaN, histogram, nonFinite, firstNonFinite };
  const partsPerUnit = max === min ? 0 : BINS / (max - min);
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i])) continue;
    const part = max === min ? BINS / 2 : Math.floor((x[i] - min) * partsPerUnit);
    histogram[Math.min(part, BINS - 1)]++;
  }
  // Adding 0 makes −0 a plain 0.
  return { min: min + 0, max: max + 0, histogram, nonFinite, firstNonFinite };
}
