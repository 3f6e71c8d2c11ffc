import type { GridOptions } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { Range } from "../reference/choose-quant-params.js";
import type { RangeOptions } from "../wasm/min-max.js";

/** What every observer's state holds: plain data, float32 values. */
export interface RangeState {
  /** Tensors seen. */
  readonly count: number;
  /** Smallest value per channel; empty before the first tensor. */
  readonly min: readonly number[];
  /** Largest value per channel; empty before the first tensor. */
  readonly max: readonly number[];
  /** Channel axis, when the range is per channel. */
  readonly axis?: number;
}

/** State of a minMaxObserver. */
export interface MinMaxState extends RangeState {
  readonly observer: "minMax";
}

/** State of a movingAverageObserver. */
export interface MovingAverageState extends RangeState {
  readonly observer: "movingAverage";
  readonly decay: number;
}

/** How a histogramObserver chooses its range. */
export interface HistogramOptions {
  readonly method: "percentile" | "mse";
  /** For `percentile`: how much of the data the range holds, in (0, 100]. Default 99.99. */
  readonly percentile?: number;
}

/** State of a histogramObserver: its options, and how many values each bin holds (src/observers/histogram.ts). */
export interface HistogramState extends RangeState, HistogramOptions {
  readonly observer: "histogram";
  /** Width of a bin, a power of two. */
  readonly binWidth: number;
  /** Number of the bin that counts[0] is about: the one that holds min. */
  readonly firstBin: number;
  /** Values per bin, from the one that holds min to the one that holds max. */
  readonly counts: readonly number[];
}

/** State of an observer as plain data: what toJSON gives and observerFromJSON takes. */
export type ObserverState = MinMaxState | MovingAverageState | HistogramState;

/** Collects a range from tensors. `where` begins the message of an error; callers put the tensor's name there. */
export interface Observer {
  /** Tensors seen. */
  readonly count: number;
  /** Takes one tensor in; with shape and axis, per channel. Throws, with the state unchanged, for NaN or ±Infinity. */
  observe(x: Float32Array, options?: RangeOptions, where?: string): void;
  /** The range chosen for a grid; contains 0. Throws QuantError `not-calibrated` before the first tensor. */
  range(grid: GridOptions, where?: string): Range;
  /** chooseQuantParams of range(grid). */
  quantParams(grid: GridOptions, where?: string): QuantParams;
  /** Takes in what another observer of the same kind has seen, as if its tensors had been seen here. */
  merge(other: Observer): void;
  /** The state as plain data, for JSON; observerFromJSON goes on from it. */
  toJSON(): ObserverState;
}
