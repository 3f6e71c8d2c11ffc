import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { checkFloats } from "../wasm/arguments.js";
import { liveArray } from "../wasm/live-array.js";
import { loadedKernels } from "../wasm/load.js";
import { minMax } from "../wasm/min-max.js";
import { addHistogram, BINS, binOf, countValues, emptyHistogram, growHistogram, type Histogram } from "./histogram.js";
import { leastErrorRange } from "./least-error-range.js";
import type { HistogramOptions, HistogramState, Observer } from "./observer.js";
import { percentileRange, type TensorRange } from "./percentile-range.js";
import { type CollectedRange, collectedRange, rangeOf, stateOf, stateToMerge, widen } from "./range-state.js";

/** Observer of how often values occur, which leaves out what is not worth the range it takes. */
export interface HistogramObserver extends Observer {
  range(...args: Parameters<Observer["range"]>): TensorRange;
  toJSON(): HistogramState;
}

/** What a histogramObserver has collected. */
export interface CollectedHistogram {
  readonly range: CollectedRange;
  readonly histogram: Histogram;
}

/**
 * Makes an observer of how often values occur, per tensor.
 *
 * It keeps 2048 bins on either side of zero, of a width that is a power of two and doubles when larger values come. The
 * state is a function of the values alone, so observers of parts of the data merge into exactly that of the whole.
 *
 * @param options
 *   `method: "percentile"`: the range holds `percentile` per cent of the values, in (0, 100], default 99.99. Affine grids
 *   give up half of the rest at each end, symmetric ones the largest magnitudes; 100 is the range of minMaxObserver.
 *   `method: "mse"`: the range with the least squared error of rounding to the grid, found by trying ends that come closer
 *   to zero by a sixteenth each (src/observers/least-error-range.ts).
 *
 * Rounding: none; ends of ranges are edges of bins or the smallest and largest value, which float32 holds exactly.
 * Errors: TypeError for an unknown method, a percentile with `mse`, or an axis; RangeError for a percentile outside
 * (0, 100] or an empty tensor; QuantError `non-finite`, with the state unchanged, for NaN or ±Infinity.
 * Source: Krishnamoorthi 2018, §2.5; Wu et al. 2020, "Integer quantization for deep learning inference", §3.3.
 *
 * @example
 * const observer = histogramObserver({ method: "percentile", percentile: 75 });
 * observer.observe(Float32Array.of(1, 2, 3, 100));
 * observer.range({ bits: 8, symmetric: true }); // min 0, max 3
 * observer.range({ bits: 8 }); // min 0, max 100
 */
export function histogramObserver(options: HistogramOptions): HistogramObserver {
  const { method, percentile } = options;
  if (method !== "percentile" && method !== "mse") {
    throw new TypeError(`histogramObserver: expected method "percentile" or "mse", got ${JSON.stringify(method)}`);
  }
  if (method === "mse" && percentile !== undefined) {
    throw new TypeError(`histogramObserver: expected no percentile with method "mse", got ${String(percentile)}`);
  }
  if (percentile !== undefined && !(percentile > 0 && percentile <= 100)) {
    throw new RangeError(`histogramObserver: expected percentile in (0, 100], got ${String(percentile)}`);
  }
  return histogramObserverOf({ range: collectedRange(), histogram: emptyHistogram() }, options);
}

/** The observer that goes on from what was collected. */
export function histogramObserverOf(
  { range, histogram }: CollectedHistogram,
  { method, percentile = 99.99 }: HistogramOptions,
): HistogramObserver {
  const chosen: HistogramObserver["range"] = (grid, where = "histogramObserver.range") => {
    const within = rangeOf(where, range) as TensorRange;
    return method === "mse"
      ? leastErrorRange(histogram, grid, within, where)
      : percentileRange(histogram, percentile, grid.symmetric ?? false, within);
  };
  return {
    get count() {
      return range.count;
    },
    observe(x, options = {}, where = "histogramObserver.observe") {
      if (options.axis !== undefined) {
        throw new TypeError(`${where}: expected a whole tensor, got axis ${options.axis}`);
      }
      checkFloats(where, "x", x);
      const kernels = loadedKernels();
      const values = kernels === undefined ? () => x : liveArray(kernels.arena, x);
      const batch = minMax(x, options, where);
      widen(range, batch, 1);
      growHistogram(histogram, magnitudeOf(range));
      countValues(histogram, values());
    },
    range: chosen,
    quantParams: (grid, where = "histogramObserver.quantParams") => chooseQuantParams(chosen(grid, where), grid, where),
    merge(other) {
      const seen = collectedHistogram(stateToMerge("histogramObserver.merge", "histogram", other));
      if (seen.range.count === 0) return;
      widen(range, seen.range, seen.range.count);
      growHistogram(histogram, magnitudeOf(range));
      addHistogram(histogram, seen.histogram);
    },
    toJSON() {
      const none = range.count === 0;
      const first = none ? 0 : binOf(histogram, range.min[0]);
      const last = none ? -1 : binOf(histogram, range.max[0]);
      return {
        observer: "histogram",
        method,
        ...(method === "percentile" && { percentile }),
        ...stateOf(range),
        binWidth: histogram.binWidth,
        firstBin: first,
        counts: Array.from(histogram.counts.subarray(BINS + first, BINS + last + 1)),
      };
    },
  };
}

/** What was collected, from stored state. */
export function collectedHistogram(state: HistogramState): CollectedHistogram {
  const range = collectedRange(state);
  const histogram = emptyHistogram();
  if (range.count > 0) growHistogram(histogram, magnitudeOf(range));
  histogram.counts.set(state.counts, BINS + state.firstBin);
  return { range, histogram };
}

function magnitudeOf({ min, max }: CollectedRange): number {
  return Math.max(-min[0], max[0]);
}
