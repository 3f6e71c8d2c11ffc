import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { minMax } from "../wasm/min-max.js";
import { movingAverage } from "../wasm/moving-average.js";
import { observeFakeQuantize } from "../wasm/observe-fake-quantize.js";
import type { Observer, RangeState } from "./observer.js";
import { checkSameChannels, collectedRange, paramsOf, stateOf } from "./range-state.js";

/** Observer of an exponential moving average of each batch's range. It has no merge: the order of batches matters. */
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
}

/**
 * Makes an observer of an exponential moving average of each batch's range, per tensor or per channel.
 *
 * The first batch initialises the range; then `t = decay · t + (1 − decay) · batch`, in float64, rounded to float32.
 * Source: Jacob et al. 2018, §3.1.
 *
 * @param options decay in [0, 1), default 0.99; `state` is what toJSON gave, to go on from there
 *
 * @example
 * const observer = movingAverageObserver({ decay: 0.75 });
 * observer.observe(Float32Array.of(-1, 1));
 * observer.observe(Float32Array.of(-5, 1));
 * observer.toJSON(); // count 2, min [-2], max [1]
 */
export function movingAverageObserver(options: { decay?: number; state?: RangeState } = {}): MovingAverageObserver {
  const { decay = 0.99, state } = options;
  if (!(decay >= 0 && decay < 1)) {
    throw new RangeError(`movingAverageObserver: expected decay in [0, 1), got ${String(decay)}`);
  }
  const range = collectedRange(state);
  return {
    observe(x, options = {}) {
      const batch = minMax(x, options, "movingAverageObserver.observe");
      checkSameChannels("movingAverageObserver.observe", range, batch, options);
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
    quantParams: (grid) => paramsOf("movingAverageObserver.quantParams", range, grid),
    toJSON: () => stateOf(range),
  };
}
