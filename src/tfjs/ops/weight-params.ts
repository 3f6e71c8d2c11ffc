import * as tf from "@tensorflow/tfjs";
import type { Shape } from "../../core/shape.js";
import { type TrainingGrid, trainingGridOptions, trainingWeightParams } from "../../graph/training-weights.js";
import { onHostBackend } from "./host-backend.js";
import { paramsTensor } from "./quant-params-tensor.js";
import { rangeParams } from "./range-params.js";

/** A bias that will lie on the grid of its layer's products. */
export interface BiasAndInput {
  readonly bias: tf.Tensor1D;
  /** Parameters of the layer's input; scale 0: not quantized for now. */
  readonly inputParams: tf.Tensor2D;
}

/**
 * Parameters [2, C] of weights in training, from their current values. No gradient.
 *
 * With `onGrid`, scales are raised where that bias would not fit its int32 grid.
 *
 * @param weights float32, of a size that `shape` has too
 * @param shape in which grid.axis counts
 *
 * Errors: as trainingWeightParams, on cpu and wasm. Source: src/graph/training-weights.ts.
 */
export function weightParams(
  where: string,
  weights: tf.Tensor,
  shape: Shape,
  grid: TrainingGrid,
  onGrid?: BiasAndInput,
): tf.Tensor2D {
  return tf.tidy(() => {
    if (!onHostBackend()) return composed(where, weights.reshape([...shape]), grid, onGrid);
    const inputScale = onGrid === undefined ? 0 : onGrid.inputParams.dataSync()[0];
    const bias = inputScale > 0 ? onGrid?.bias.dataSync<"float32">() : undefined;
    const data = weights.dataSync<"float32">();
    return paramsTensor(
      trainingWeightParams(where, { data, shape }, grid, bias === undefined ? undefined : { bias, inputScale }),
    );
  });
}

function composed(where: string, weights: tf.Tensor, grid: TrainingGrid, onGrid?: BiasAndInput): tf.Tensor2D {
  const perChannel = grid.granularity === "perChannel";
  const axes = weights.shape.map((_, i) => i).filter((i) => !perChannel || i !== grid.axis);
  const min = tf.min(weights, axes).reshape([-1]) as tf.Tensor1D;
  const max = tf.max(weights, axes).reshape([-1]) as tf.Tensor1D;
  const params = rangeParams(where, min, max, trainingGridOptions(grid));
  if (onGrid === undefined) return params;
  const [scale, zeroPoint] = tf.unstack(params);
  const inputScale = onGrid.inputParams.slice([0, 0], [1, 1]).reshape([]);
  const divisor = tf.where(tf.greater(inputScale, 0), inputScale, tf.scalar(Number.POSITIVE_INFINITY));
  // In this order the first division is exact, and the second does not overflow floats of 16 bits.
  const needed = tf.div(tf.div(tf.abs(onGrid.bias), 2 ** 30), divisor);
  const raised = tf.maximum(scale, perChannel ? needed : tf.max(needed).reshape([1]));
  return tf.stack([raised, zeroPoint]) as tf.Tensor2D;
}
