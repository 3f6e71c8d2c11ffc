import * as tf from "@tensorflow/tfjs";
import { momentsCall } from "../../wasm/moments.js";
import { withBuffers } from "../backend-memory.js";
import { channelAffine } from "./channel-affine.js";
import { checkChannels, rowAxes, rowSizes } from "./channels.js";
import { type Op, runOp } from "./run-op.js";

const OP: Op = {
  name: "BitpressMoments",
  kernels: {
    BitpressMoments: ({ inputs: { x }, backend }) => {
      const sizes = rowSizes(x);
      return withBuffers(backend, momentsCall(sizes), [x], [[sizes.channels], [sizes.channels]]);
    },
  },
  inputsToSave: ["x"],
  outputsToSave: [true, false],
  // dx = dmean / rows + dvariance · 2 (x − mean) / rows
  gradient: ([dmean, dvariance], [x, mean]) => ({
    x: () => {
      const { rows } = rowSizes(x);
      const scale = tf.mul(dvariance, 2 / rows);
      const shift = tf.sub(tf.div(dmean, rows), tf.mul(scale, mean));
      return channelAffine(x, scale as tf.Tensor1D, shift as tf.Tensor1D);
    },
  }),
};

/**
 * Mean and biased variance over all axes but the last, with gradients through both.
 *
 * x [..., channels], float32; mean and variance [channels]. Equations: src/reference/moments.ts.
 *
 * Errors: RangeError for a scalar or an empty x, TypeError for another dtype.
 */
export function momentsOf(x: tf.Tensor): [mean: tf.Tensor1D, variance: tf.Tensor1D] {
  checkChannels("momentsOf", x);
  const outputs = runOp(OP, { x }, {}) as [tf.Tensor1D, tf.Tensor1D] | undefined;
  if (outputs !== undefined) return outputs;
  const { mean, variance } = tf.moments(x, rowAxes(x)) as { mean: tf.Tensor1D; variance: tf.Tensor1D };
  return [mean, variance];
}
