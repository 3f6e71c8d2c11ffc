import * as tf from "@tensorflow/tfjs";
import { batchNormTrainCall } from "../../wasm/batch-norm-train.js";
import { batchNormTrainGradientCall } from "../../wasm/batch-norm-train-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { checkChannels, rowAxes, rowSizes } from "./channels.js";
import { type Op, runKernel, runOp } from "./run-op.js";

const GRADIENT = "BitpressBatchNormTrainGradient";

const OP: Op<{ readonly epsilon: number }> = {
  name: "BitpressBatchNormTrain",
  kernels: {
    BitpressBatchNormTrain: ({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) =>
      withBuffers(
        backend,
        batchNormTrainCall({ ...rowSizes(x), epsilon }),
        [x, gamma, beta],
        [x.shape, gamma.shape, gamma.shape],
      ),
    [GRADIENT]: ({ inputs: { dy, x, gamma, mean, variance }, attrs: { epsilon }, backend }) =>
      withBuffers(
        backend,
        batchNormTrainGradientCall({ ...rowSizes(x), epsilon }),
        [dy, x, gamma, mean, variance],
        [x.shape, gamma.shape, gamma.shape],
      ),
  },
  inputsToSave: ["x", "gamma"],
  outputsToSave: [false, true, true],
  gradient: ([dy], [x, gamma, mean, variance], attrs) => {
    // At once: all three come from one pass, and what is made inside of one gradient's function is disposed after it.
    const [dx, dgamma, dbeta] = runKernel(GRADIENT, { dy, x, gamma, mean, variance }, attrs);
    return { x: () => dx, gamma: () => dgamma, beta: () => dbeta };
  },
};

/**
 * Batch normalization as in training, over all axes but the last: [y, mean, variance] of the batch, variance biased.
 *
 * x [..., channels], gamma and beta [channels], all float32; epsilon > 0. Mean and variance are for moving averages: no
 * gradient flows through them, but y's gradient does take into account that they depend on x. There are no second-order
 * gradients. Equations: src/reference/batch-norm-train.ts.
 *
 * Errors: RangeError for shapes that do not fit or a bad epsilon, TypeError for another dtype.
 */
export function batchNormTrain(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
): [y: tf.Tensor, mean: tf.Tensor1D, variance: tf.Tensor1D] {
  checkChannels("batchNormTrain", x, { gamma, beta });
  const outputs = runOp(OP, { x, gamma, beta }, { epsilon });
  if (outputs !== undefined) return outputs as [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
  const { mean, variance } = tf.moments(x, rowAxes(x)) as { mean: tf.Tensor1D; variance: tf.Tensor1D };
  return [tf.batchNorm(x, mean, variance, beta, gamma, epsilon), mean, variance];
}
