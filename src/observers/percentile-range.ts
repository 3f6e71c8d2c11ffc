import { BINS, type Histogram, totalOf } from "./histogram.js";

/** A range of one tensor. */
export interface TensorRange {
  readonly min: number;
  readonly max: number;
}

/**
 * The range that holds `percentile` per cent of the values counted.
 *
 * Whole bins are left out, from the outside in, while at most `(100 − percentile) %` of all values are outside; 0 always
 * stays inside, and 100 gives `within`.
 * * affine: each tail gives up at most half of that;
 * * symmetric: bins k and −k are left out together, so what counts is the magnitude.
 *
 * @param within smallest and largest value counted, widened to contain 0; the result lies inside
 */
export function percentileRange(
  histogram: Histogram,
  percentile: number,
  symmetric: boolean,
  within: TensorRange,
): TensorRange {
  const { binWidth, counts } = histogram;
  // The small addend: 100 − 99.9 is 6e-15 less than a tenth, and of 1000 values 1 may be outside, not 0.
  const mayLeave = (share: number): number => Math.floor((totalOf(histogram) * share) / 100 + 1e-6);
  const outermost = (budget: number, countOf: (k: number) => number): number => {
    let left = 0;
    let k = BINS;
    while (k > 0) {
      left += countOf(k);
      if (left > budget) break;
      k--;
    }
    return k * binWidth;
  };
  const above = (k: number): number => counts[BINS + k];
  const below = (k: number): number => counts[BINS - k];
  const share = 100 - percentile;
  let lo: number;
  let hi: number;
  if (symmetric) {
    lo = hi = outermost(mayLeave(share), (k) => above(k) + below(k));
  } else {
    lo = outermost(mayLeave(share / 2), below);
    hi = outermost(mayLeave(share / 2), above);
  }
  return { min: Math.max(within.min, -lo) + 0, max: Math.min(within.max, hi) };
}
