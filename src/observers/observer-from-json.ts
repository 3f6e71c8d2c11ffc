import { binOf, emptyHistogram, growHistogram } from "./histogram.js";
import {
  collectedHistogram,
  type HistogramObserver,
  histogramObserver,
  histogramObserverOf,
} from "./histogram-observer.js";
import { type MinMaxObserver, minMaxObserverOf } from "./min-max-observer.js";
import {
  type MovingAverageObserver,
  movingAverageObserver,
  movingAverageObserverOf,
} from "./moving-average-observer.js";
import type { HistogramState, ObserverState, RangeState } from "./observer.js";
import { collectedRange } from "./range-state.js";

/** The observer that belongs to each kind of state. */
export interface ObserverKinds {
  minMax: MinMaxObserver;
  movingAverage: MovingAverageObserver;
  histogram: HistogramObserver;
}

const WHERE = "observerFromJSON";

/**
 * The observer that goes on from a state, as if it had seen what the state's observer saw.
 *
 * @param state what an observer's toJSON gave, as it is or through JSON
 *
 * Errors: TypeError or RangeError naming the field that is not as an observer leaves it.
 *
 * @example
 * const observer = histogramObserver({ method: "mse" });
 * observer.observe(Float32Array.of(-1, 1));
 * const other = observerFromJSON(JSON.parse(JSON.stringify(observer)));
 * other.observe(Float32Array.of(3));
 * other.count; // 2
 * observer.count; // 1
 */
export function observerFromJSON<K extends keyof ObserverKinds>(
  state: ObserverState & { observer: K },
): ObserverKinds[K];
export function observerFromJSON(state: ObserverState): ObserverKinds[keyof ObserverKinds] {
  if (typeof state !== "object" || state === null) throw new TypeError(`${WHERE}: expected a state, got ${state}`);
  switch (state.observer) {
    case "minMax":
      checkRange(state);
      return minMaxObserverOf(collectedRange(state));
    case "movingAverage":
      checkRange(state);
      movingAverageObserver(state); // checks the decay
      return movingAverageObserverOf(collectedRange(state), state.decay);
    case "histogram":
      checkRange(state);
      histogramObserver(state); // checks the options
      checkHistogram(state);
      return histogramObserverOf(collectedHistogram(state), state);
    default:
      throw new TypeError(
        `${WHERE}: expected observer to be "minMax", "movingAverage" or "histogram", got ${JSON.stringify((state as { observer: unknown }).observer)}`,
      );
  }
}

function checkRange({ count, min, max, axis }: RangeState): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`${WHERE}: expected count to be a whole number ≥ 0, got ${count}`);
  }
  const ends = Array.isArray(min) && Array.isArray(max) && min.length === max.length;
  if (!ends || (count === 0 ? min.length > 0 : axis === undefined ? min.length !== 1 : min.length === 0)) {
    throw new TypeError(
      `${WHERE}: expected min and max as lists with one number per channel, got ${JSON.stringify(min)} and ${JSON.stringify(max)}`,
    );
  }
  const isFloat32 = (value: number): boolean => Number.isFinite(value) && Math.fround(value) === value;
  for (let c = 0; c < min.length; c++) {
    if (!isFloat32(min[c]) || !isFloat32(max[c]) || min[c] > max[c]) {
      throw new RangeError(`${WHERE}: expected finite float32 min ≤ max, got ${min[c]} and ${max[c]} at channel ${c}`);
    }
  }
  if (axis !== undefined && !Number.isInteger(axis)) {
    throw new RangeError(`${WHERE}: expected axis to be an integer, got ${axis}`);
  }
}

function checkHistogram({ count, min, max, axis, binWidth, firstBin, counts }: HistogramState): void {
  if (axis !== undefined) throw new TypeError(`${WHERE}: expected a histogram of whole tensors, got axis ${axis}`);
  const histogram = emptyHistogram();
  let bins = 0;
  let first = 0;
  if (count > 0) {
    growHistogram(histogram, Math.max(-min[0], max[0]));
    first = binOf(histogram, min[0]);
    bins = binOf(histogram, max[0]) - first + 1;
  }
  if (binWidth !== histogram.binWidth || firstBin !== first) {
    throw new RangeError(
      `${WHERE}: expected binWidth ${histogram.binWidth} and firstBin ${first} for values in [${min}, ${max}], got ${binWidth} and ${firstBin}`,
    );
  }
  if (!Array.isArray(counts) || counts.length !== bins) {
    throw new RangeError(`${WHERE}: expected counts as a list of ${bins} numbers, got ${counts?.length}`);
  }
  const wrong = counts.findIndex((n, i) => {
    const filled = i === 0 || i === bins - 1; // min and max lie there
    return !Number.isSafeInteger(n) || n < (filled ? 1 : 0);
  });
  if (wrong !== -1) {
    throw new RangeError(
      `${WHERE}: expected counts to be whole numbers ≥ 0 and > 0 at the ends, got ${counts[wrong]} at index ${wrong}`,
    );
  }
}
