import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { RangeOptions } from "../wasm/min-max.js";

/** State of an observer as plain data: what toJSON gives and the constructor takes back. */
export interface RangeState {
  /** Tensors seen. */
  readonly count: number;
  /** Smallest value per channel, float32; empty before the first tensor. */
  readonly min: readonly number[];
  /** Largest value per channel, float32; empty before the first tensor. */
  readonly max: readonly number[];
  /** Channel axis, when the range is per channel. */
  readonly axis?: number;
}

/** Collects the range of tensors. */
export interface Observer {
  /** Takes one tensor into the range; with shape and axis, per channel. */
  observe(x: Float32Array, options?: RangeOptions): void;
  /** Parameters of the range collected so far. Throws QuantError `not-calibrated` before the first tensor. */
  quantParams(options: GridOptions): QuantParams;
  /** The state as plain data. */
  toJSON(): RangeState;
}
