import * as reference from "../reference/batch-norm-train.js";
import { fl } from "../reference/rounding.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";

/** Sizes of a batch normalization over the last axis. */
export interface BatchNormSizes {
  /** All elements but those of the channels: batch · height · width. At least 1. */
  readonly rows: number;
  /** At least 1. */
  readonly channels: number;
  /** > 0; rounded to float32. */
  readonly epsilon: number;
}

/**
 * Batch normalization as in training: inputs x [rows, channels], gamma, beta; outputs y, mean, variance.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/batch-norm-train.ts.
 */
export function batchNormTrainCall(sizes: BatchNormSizes): KernelCall {
  const epsilon = checkSizes("batchNormTrain", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels, channels, channels],
    outputs: [rows * channels, channels, channels],
    words: NO_WORDS,
    scratchBytes: 64 * channels,
    run: (exports, { inputs: [x, gamma, beta], outputs: [y, mean, variance], scratch }) =>
      exports.batchNormTrainF32(x, gamma, beta, y, mean, variance, rows, channels, epsilon, scratch),
    reference: ([x, gamma, beta], [y, mean, variance]) =>
      reference.batchNormTrain(x, gamma, beta, epsilon, y, mean, variance),
  };
}

/** Checks the sizes; returns epsilon in float32. Throws RangeError. */
export function checkSizes(where: string, { rows, channels, epsilon }: BatchNormSizes): number {
  for (const [name, value] of Object.entries({ rows, channels })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${where}: expected an integer ${name} ≥ 1, got ${value}`);
    }
  }
  const rounded = fl(epsilon);
  if (!(rounded > 0 && rounded < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${where}: expected epsilon > 0 in float32, got ${epsilon}`);
  }
  return rounded;
}
