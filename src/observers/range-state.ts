import { QuantError } from "../core/errors.js";
import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import type { ChannelRange, RangeOptions } from "../wasm/min-max.js";
import type { RangeState } from "./observer.js";

/** A range being collected; `axis` is set once a per-channel tensor was seen. */
export interface CollectedRange {
  count: number;
  axis: number | undefined;
  min: Float32Array;
  max: Float32Array;
}

/** A range from stored state, or an empty one. */
export function collectedRange(state: RangeState | undefined): CollectedRange {
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
  batch: ChannelRange,
  { axis }: RangeOptions,
): void {
  if (range.count > 0 && batch.min.length !== range.min.length) {
    throw new RangeError(
      `${where}: expected ${range.min.length} channels as in the tensors before, got ${batch.min.length}`,
    );
  }
  range.axis = axis;
}

/** Parameters of a collected range: numbers for one channel, arrays and axis for several. */
export function paramsOf(where: string, { count, axis, min, max }: CollectedRange, options: GridOptions): QuantParams {
  if (count === 0) {
    throw new QuantError("not-calibrated", `${where}: expected observed data, got none; call observe() first`);
  }
  if (axis === undefined) {
    return chooseQuantParams({ min: min[0], max: max[0] }, options, where);
  }
  return { ...chooseQuantParams({ min, max }, options, where), axis };
}

/** The state as plain data. */
export function stateOf({ count, axis, min, max }: CollectedRange): RangeState {
  const state = { count, min: Array.from(min), max: Array.from(max) };
  return axis === undefined ? state : { ...state, axis };
}
