import * as tf from "@tensorflow/tfjs";
import { conv2dBackpropFilterCall } from "../../wasm/conv2d-backprop-filter.js";
import { conv2dBackpropInputCall } from "../../wasm/conv2d-backprop-input.js";
import { type ConvolutionOptions, convolutionAttributes, convolutionOp } from "./convolution-op.js";
import { runOp } from "./run-op.js";

const OP = convolutionOp({
  name: "BitpressConv2d",
  stock: "Conv2D",
  inputCall: conv2dBackpropInputCall,
  filterCall: conv2dBackpropFilterCall,
});

/**
 * A 2D convolution with gradients by the library's kernels, also where it is dilated.
 *
 * x [batch, height, width, in], filter [kh, kw, in, out], both float32. Only the gradients that are asked for are computed.
 * They equal those of the tfjs cpu backend to 1e-5, relative to the largest. There are no second-order gradients.
 *
 * Errors: RangeError for shapes or options that do not fit, TypeError for another dtype.
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: ConvolutionOptions): tf.Tensor4D {
  const attributes = convolutionAttributes("conv2d", x, filter, options);
  const outputs = runOp(OP, { x, filter }, attributes) as [tf.Tensor4D] | undefined;
  return outputs?.[0] ?? tf.conv2d(x, filter, options.strides, options.padding, "NHWC", options.dilations);
}
