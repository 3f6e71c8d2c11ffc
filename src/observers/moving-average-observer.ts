import { QuantError } from "../core/errors.js";
import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { minMax } from "../wasm/min-max.js";
import { movingAverage } from "../wasm/moving-average.js";
import { observeFakeQuantize } from "../wasm/observe-fake-quantize.js";
import type { MovingAverageState, Observer } from "./observer.js";
import { type CollectedRange, checkSameChannels, collectedRange, paramsOf, rangeOf, stateOf } from "./range-state.js";

/** Observer of an exponential moving average of each batch's range. */
export interface MovingAverageObserver extends Observer {
  /**
   * observe(x), then fakeQuantize(x) with the updated range, in one kernel. Per tensor.
   *
   * @returns the rounded values (`out`, or a fresh array) and the parameters they were rounded with
   */
  observeFakeQuantize(
    x: Float32Array,
    grid: GridOptions,
    options?: { out?: Float32Array },
  ): { values: Float32Array; params: QuantParams };
  /** Throws QuantError `unsupported`: the order of batches matters, so two averages do not make one. */
  merge(other: Observer): never;
  toJSON(): MovingAverageState;
}

/**
 * Makes an observer of an exponential moving average of each batch's range, per tensor or per channel.
 *
 * The first batch initialises the range; then `t = decay · t + (1 − decay) · batch`, in float64, rounded to float32.
 * It has no merge: the order of batches matters.
 * Source: Jacob et al. 2018, §3.1.
 *
 * @param options decay in [0, 1), default 0.99
 *
 * @example
 * const observer = movingAverageObserver({ decay: 0.75 });
 * observer.observe(Float32Array.of(-1, 1));
 * observer.observe(Float32Array.of(-5, 1));
 * observer.range({ bits: 8 }); // min -2, max 1
 */
export function movingAverageObserver({ decay = 0.99 }: { decay?: number } = {}): MovingAverageObserver {
  if (!(decay >= 0 && decay < 1)) {
    throw new RangeError(`movingAverageObserver: expected decay in [0, 1), got ${String(decay)}`);
  }
  return movingAverageObserverOf(collectedRange(), decay);
}

/** The observer that goes on from a collected range. */
export function movingAverageObserverOf(range: CollectedRange, decay: number): MovingAverageObserver {
  return {
    get count() {
      return range.count;
    },
    observe(x, options = {}, where = "movingAverageObserver.observe") {
      const batch = minMax(x, options, where);
      checkSameChannels(where, range, batch.min.length, options.axis);
      if (range.count === 0) {
        range.min = batch.min;
        range.max = batch.max;
      } else {
        movingAverage(range.min, batch.min, decay);
        movingAverage(range.max, batch.max, decay);
      }
      range.count++;
    },
    observeFakeQuantize(x, grid, { out } = {}) {
      if (range.axis !== undefined) {
        throw new TypeError(
          "movingAverageObserver.observeFakeQuantize: expected a per-tensor range, got per-channel data",
        );
      }
      const pair = Float32Array.of(range.min[0] ?? 0, range.max[0] ?? 0);
      const result = observeFakeQuantize(x, pair, { first: range.count === 0, decay }, grid, out);
      range.min = pair.slice(0, 1);
      range.max = pair.slice(1);
      range.count++;
      return result;
    },
    range: (_grid, where = "movingAverageObserver.range") => rangeOf(where, range),
    quantParams: (grid, where = "movingAverageObserver.quantParams") => paramsOf(where, range, grid),
    merge() {
      throw new QuantError(
        "unsupported",
        "movingAverageObserver.merge: expected an observer for which the order of batches does not matter, got a moving average; merge minMaxObserver or histogramObserver",
      );
    },
    toJSON: () => ({ observer: "movingAverage", decay, ...stateOf(range) }),
  };
}
