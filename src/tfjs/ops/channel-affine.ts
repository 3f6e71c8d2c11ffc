import * as tf from "@tensorflow/tfjs";
import { channelAffineCall } from "../../wasm/channel-affine.js";
import { channelAffineGradientCall } from "../../wasm/channel-affine-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { checkChannels, rowSizes } from "./channels.js";
import { type Op, runKernel, runOp } from "./run-op.js";

const GRADIENT = "BitpressChannelAffineGradient";

const OP: Op = {
  name: "BitpressChannelAffine",
  kernels: {
    BitpressChannelAffine: ({ inputs: { x, scale, shift }, backend }) =>
      withBuffers(backend, channelAffineCall(rowSizes(x)), [x, scale, shift], [x.shape])[0],
    [GRADIENT]: ({ inputs: { dy, x, scale }, backend }) =>
      withBuffers(backend, channelAffineGradientCall(rowSizes(x)), [dy, x, scale], [x.shape, scale.shape, scale.shape]),
  },
  inputsToSave: ["x", "scale"],
  gradient: ([dy], [x, scale]) => {
    // At once: all three come from one pass, and what is made inside of one gradient's function is disposed after it.
    const [dx, dscale, dshift] = runKernel(GRADIENT, { dy, x, scale });
    return { x: () => dx, scale: () => dscale, shift: () => dshift };
  },
};

/**
 * x · scale + shift, one of each for every channel of the last axis.
 *
 * x [..., channels], scale and shift [channels], all float32. There are no second-order gradients.
 *
 * Errors: RangeError for shapes that do not fit, TypeError for another dtype.
 */
export function channelAffine(x: tf.Tensor, scale: tf.Tensor1D, shift: tf.Tensor1D): tf.Tensor {
  checkChannels("channelAffine", x, { scale, shift });
  return runOp(OP, { x, scale, shift }, {})?.[0] ?? tf.add(tf.mul(x, scale), shift);
}
