import { minMax } from "../wasm/min-max.js";
import type { MinMaxState, Observer } from "./observer.js";
import {
  type CollectedRange,
  checkSameChannels,
  collectedRange,
  paramsOf,
  rangeOf,
  stateOf,
  stateToMerge,
  widen,
} from "./range-state.js";

/** Observer of the smallest and largest value ever seen. */
export interface MinMaxObserver extends Observer {
  toJSON(): MinMaxState;
}

/**
 * Makes an observer of the smallest and largest value ever seen, per tensor or per channel.
 *
 * @example
 * const observer = minMaxObserver();
 * observer.observe(Float32Array.of(-1, 3));
 * observer.quantParams({ bits: 8 }); // scale fl(4/255), zeroPoint -64, qmin -128, qmax 127
 */
export function minMaxObserver(): MinMaxObserver {
  return minMaxObserverOf(collectedRange());
}

/** The observer that goes on from a collected range. */
export function minMaxObserverOf(range: CollectedRange): MinMaxObserver {
  return {
    get count() {
      return range.count;
    },
    observe(x, options = {}, where = "minMaxObserver.observe") {
      const batch = minMax(x, options, where);
      checkSameChannels(where, range, batch.min.length, options.axis);
      widen(range, batch, 1);
    },
    range: (_grid, where = "minMaxObserver.range") => rangeOf(where, range),
    quantParams: (grid, where = "minMaxObserver.quantParams") => paramsOf(where, range, grid),
    merge(other) {
      const seen = collectedRange(stateToMerge("minMaxObserver.merge", "minMax", other));
      if (seen.count === 0) return;
      checkSameChannels("minMaxObserver.merge", range, seen.min.length, seen.axis);
      widen(range, seen, seen.count);
    },
    toJSON: () => ({ observer: "minMax", ...stateOf(range) }),
  };
}
