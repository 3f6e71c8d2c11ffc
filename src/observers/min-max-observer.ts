import { minMax } from "../wasm/min-max.js";
import type { Observer, RangeState } from "./observer.js";
import { checkSameChannels, collectedRange, paramsOf, stateOf } from "./range-state.js";

/** Observer of the smallest and largest value ever seen. */
export interface MinMaxObserver extends Observer {
  /** Takes the range of another observer into this one, as if its tensors had been seen here. */
  merge(other: MinMaxObserver): void;
}

/**
 * Makes an observer of the smallest and largest value ever seen, per tensor or per channel.
 *
 * @param state what toJSON gave, to go on from there
 *
 * @example
 * const observer = minMaxObserver();
 * observer.observe(Float32Array.of(-1, 3));
 * observer.quantParams({ bits: 8 }); // scale fl(4/255), zeroPoint -64, qmin -128, qmax 127
 */
export function minMaxObserver(state?: RangeState): MinMaxObserver {
  const range = collectedRange(state);
  const widen = (min: ArrayLike<number>, max: ArrayLike<number>): void => {
    if (range.count === 0) {
      range.min = Float32Array.from(min);
      range.max = Float32Array.from(max);
      return;
    }
    for (let c = 0; c < range.min.length; c++) {
      range.min[c] = Math.min(range.min[c], min[c]);
      range.max[c] = Math.max(range.max[c], max[c]);
    }
  };
  return {
    observe(x, options = {}) {
      const batch = minMax(x, options, "minMaxObserver.observe");
      checkSameChannels("minMaxObserver.observe", range, batch, options);
      widen(batch.min, batch.max);
      range.count++;
    },
    merge(other) {
      const { count, min, max } = other.toJSON();
      if (count === 0) return;
      if (range.count > 0 && min.length !== range.min.length) {
        throw new RangeError(`minMaxObserver.merge: expected ${range.min.length} channels, got ${min.length}`);
      }
      widen(min, max);
      range.axis = other.toJSON().axis;
      range.count += count;
    },
    quantParams: (options) => paramsOf("minMaxObserver.quantParams", range, options),
    toJSON: () => stateOf(range),
  };
}
