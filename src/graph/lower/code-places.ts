import type { Grid } from "../../core/grid.js";
import type { FixedPointMultiplier } from "../../reference/fixed-point-multiplier.js";
import { smallestAccumulator } from "../../reference/smallest-accumulator.js";

// A code that is a monotone function of the accumulator is described by the places where it goes up: for each code of the
// grid, qmin + 1 … qmax, how many accumulators come before the first that gives it or more.

/** What an accumulator can be: least, least + step, …, greatest. */
export interface Accumulators {
  readonly least: number;
  readonly greatest: number;
  readonly step: number;
}

/** Number of accumulators. */
export function countAccumulators({ least, greatest, step }: Accumulators): number {
  return (greatest - least) / step + 1;
}

/** The places of a monotone function, by bisection. */
export function placesOf(codeOf: (acc: number) => number, sums: Accumulators, { qmin, qmax }: Grid): number[] {
  const places: number[] = [];
  for (let code = qmin + 1; code <= qmax; code++) {
    let [low, high] = [places.at(-1) ?? 0, countAccumulators(sums)];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (codeOf(sums.least + middle * sums.step) >= code) high = middle;
      else low = middle + 1;
    }
    places.push(low);
  }
  return places;
}

/**
 * The places of an integer layer, clamp(zeroPoint + requantize(bias + acc), qmin, qmax), as a function of its bias.
 *
 * Exact: the accumulators where the code goes up are integers that need no search.
 */
export function integerPlaces(
  multiplier: FixedPointMultiplier,
  { least, greatest, step }: Accumulators,
  { zeroPoint, qmin, qmax }: Grid & { readonly zeroPoint: number },
): (bias: number) => number[] {
  const count = countAccumulators({ least, greatest, step });
  const starts = Array.from({ length: qmax - qmin }, (_, i) =>
    smallestAccumulator(qmin + 1 + i - zeroPoint, multiplier),
  );
  return (bias) => starts.map((start) => Math.max(0, Math.min(count, Math.ceil((start - bias - least) / step))));
}

/** How many accumulators have different codes: those that lie between two places of one code. */
export function countDifferences(a: readonly number[], b: readonly number[]): number {
  let [different, done] = [0, 0];
  for (const [i, place] of a.entries()) {
    const from = Math.max(done, Math.min(place, b[i]));
    const to = Math.max(place, b[i]);
    different += Math.max(0, to - from);
    done = Math.max(done, to);
  }
  return different;
}

/** How many codes apart they are at most, over the accumulators before `count`. */
export function largestDifference(a: readonly number[], b: readonly number[], count: number): number {
  let [i, j, largest] = [0, 0, 0];
  // Codes change at places only: at each, count what began up to there.
  for (let at = 0; ; ) {
    while (a[i] <= at) i++;
    while (b[j] <= at) j++;
    largest = Math.max(largest, Math.abs(i - j));
    at = Math.min(a[i] ?? count, b[j] ?? count);
    if (at >= count) return largest;
  }
}
