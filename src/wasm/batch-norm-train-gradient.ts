import * as reference from "../reference/batch-norm-train-gradient.js";
import { type BatchNormSizes, checkSizes } from "./batch-norm-train.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";

/**
 * Gradient of batch normalization as in training: inputs dy, x [rows, channels], gamma, mean, variance; outputs dx, dgamma,
 * dbeta. Mean and variance as batchNormTrainCall gave them.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/batch-norm-train-gradient.ts.
 */
export function batchNormTrainGradientCall(sizes: BatchNormSizes): KernelCall {
  const epsilon = checkSizes("batchNormTrainGradient", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels, rows * channels, channels, channels, channels],
    outputs: [rows * channels, channels, channels],
    words: NO_WORDS,
    scratchBytes: 64 * channels,
    run: (exports, { inputs: [dy, x, gamma, mean, variance], outputs: [dx, dgamma, dbeta], scratch }) =>
      exports.batchNormTrainGradientF32(
        dy,
        x,
        gamma,
        mean,
        variance,
        dx,
        dgamma,
        dbeta,
        rows,
        channels,
        epsilon,
        scratch,
      ),
    reference: ([dy, x, gamma, mean, variance], [dx, dgamma, dbeta]) =>
      reference.batchNormTrainGradient(dy, x, gamma, mean, variance, epsilon, dx, dgamma, dbeta),
  };
}
