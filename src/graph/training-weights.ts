import type { Granularity } from "../core/granularity.js";
import { type GridOptions, gridOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { Tensor } from "../core/tensor.js";
import { raiseForBias } from "../reference/bias-on-grid.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { minMax } from "../wasm/min-max.js";

/** How weights in training are quantized, each step on the grid of their current range. */
export interface TrainingGrid {
  /** 2…16. */
  readonly bits: number;
  readonly signed: boolean;
  readonly symmetric: boolean;
  readonly granularity: Granularity;
  /** Axis of the output channels; unused per tensor. */
  readonly axis: number;
}

/**
 * The grid of a batch normalization's factors where no layer took them in: integers compute it as a depthwise 1 × 1 convolution, and
 * each factor is ±127 on a scale of its own.
 */
export const BATCH_NORM_GRID: TrainingGrid = {
  bits: 8,
  signed: true,
  symmetric: true,
  granularity: "perChannel",
  axis: 3,
};

/** A bias that will be added on the grid of its layer's products. */
export interface GridBias {
  readonly bias: Float32Array;
  /** Scale of the layer's input. */
  readonly inputScale: number;
}

/** The grid in words: a signed symmetric one is narrow ([−127, 127] for 8 bits). */
export function trainingGridOptions({ bits, signed, symmetric }: TrainingGrid): GridOptions {
  return { bits, signed, symmetric, narrowRange: signed && symmetric };
}

/**
 * Parameters of weights in training: those of their current range, per channel or per tensor.
 *
 * With `onGrid`, scales are raised where that bias would not fit its int32 grid (raiseForBias).
 * Errors: QuantError `non-finite`, naming the first index, for NaN or ±Infinity. `where` begins the message.
 */
export function trainingWeightParams(
  where: string,
  { data, shape }: Tensor,
  grid: TrainingGrid,
  onGrid?: GridBias,
): QuantParams {
  const perChannel = grid.granularity === "perChannel";
  const range = minMax(data, perChannel ? { shape, axis: grid.axis } : {}, where);
  const options = trainingGridOptions(grid);
  const params = chooseQuantParams(range, options, where);
  const scale = params.scale as Float32Array;
  if (onGrid !== undefined) raiseForBias(scale, onGrid.bias, onGrid.inputScale);
  if (perChannel) return { ...params, scale, axis: grid.axis };
  const [zeroPoint] = params.zeroPoint as Int32Array;
  return { ...gridOf(where, options), scale: scale[0], zeroPoint };
}
