import { QuantError } from "../core/errors.js";
import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { chooseQuantParams, type Range } from "../reference/choose-quant-params.js";
import type { ChannelRange } from "../wasm/min-max.js";
import type { Observer, ObserverState, RangeState } from "./observer.js";

/** A range being collected; `axis` is set once a per-channel tensor was seen. */
export interface CollectedRange {
  count: number;
  axis: number | undefined;
  min: Float32Array;
  max: Float32Array;
}

/** A range from stored state, or an empty one. */
export function collectedRange(state?: RangeState): CollectedRange {
  return {
    count: state?.count ?? 0,
    axis: state?.axis,
    min: Float32Array.from(state?.min ?? []),
    max: Float32Array.from(state?.max ?? []),
  };
}

/** Checks that a batch has as many channels as those before it, and takes note of the axis. */
export function checkSameChannels(
  where: string,
  range: CollectedRange,
  channels: number,
  axis: number | undefined,
): void {
  if (range.count > 0 && channels !== range.min.length) {
    throw new RangeError(`${where}: expected ${range.min.length} channels as in the tensors before, got ${channels}`);
  }
  range.axis = axis;
}

/** Widens a range, or begins it, with that of `count` more tensors, whose arrays it may keep. */
export function widen(range: CollectedRange, { min, max }: ChannelRange, count: number): void {
  if (range.count === 0) {
    range.min = min;
    range.max = max;
  } else {
    for (let c = 0; c < range.min.length; c++) {
      range.min[c] = Math.min(range.min[c], min[c]);
      range.max[c] = Math.max(range.max[c], max[c]);
    }
  }
  range.count += count;
}

/** Checks that data was seen. */
function checkObserved(where: string, count: number): void {
  if (count === 0) {
    throw new QuantError("not-calibrated", `${where}: expected observed data, got none; call observe() first`);
  }
}

/** The collected range widened to contain 0: numbers for one tensor, arrays for channels. */
export function rangeOf(where: string, { count, axis, min, max }: CollectedRange): Range {
  checkObserved(where, count);
  const lo = min.map((value) => Math.min(value, 0));
  const hi = max.map((value) => Math.max(value, 0));
  return axis === undefined ? { min: lo[0], max: hi[0] } : { min: lo, max: hi };
}

/** Parameters of a collected range, with the axis where there is one. */
export function paramsOf(where: string, range: CollectedRange, grid: GridOptions): QuantParams {
  const params = chooseQuantParams(rangeOf(where, range), grid, where);
  return range.axis === undefined ? params : { ...params, axis: range.axis };
}

/** The state as plain data. */
export function stateOf({ count, axis, min, max }: CollectedRange): RangeState {
  const state = { count, min: Array.from(min), max: Array.from(max) };
  return axis === undefined ? state : { ...state, axis };
}

/** The state of an observer that is to be merged, which must be of the kind; throws TypeError. */
export function stateToMerge<K extends ObserverState["observer"]>(
  where: string,
  kind: K,
  other: Observer,
): Extract<ObserverState, { observer: K }> {
  const state = other.toJSON();
  if (state.observer !== kind) {
    throw new TypeError(`${where}: expected another ${kind} observer, got a ${state.observer} observer`);
  }
  return state as Extract<ObserverState, { observer: K }>;
}
