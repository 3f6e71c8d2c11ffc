import * as tf from "@tensorflow/tfjs";
import { depthwiseBackpropFilterCall } from "../../wasm/depthwise-backprop-filter.js";
import { depthwiseBackpropInputCall } from "../../wasm/depthwise-backprop-input.js";
import { type ConvolutionOptions, convolutionAttributes, convolutionOp } from "./convolution-op.js";
import { runOp } from "./run-op.js";

const OP = convolutionOp({
  name: "BitpressDepthwiseConv2d",
  stock: "DepthwiseConv2dNative",
  inputCall: depthwiseBackpropInputCall,
  filterCall: depthwiseBackpropFilterCall,
});

/**
 * A depthwise 2D convolution with gradients by the library's kernels, of any multiplier and dilation.
 *
 * x [batch, height, width, in], filter [kh, kw, in, multiplier], both float32. Only the gradients that are asked for are
 * computed. They equal those of the tfjs cpu backend to 1e-5, relative to the largest. There are no second-order gradients.
 *
 * Errors: RangeError for shapes or options that do not fit, TypeError for another dtype.
 */
export function depthwiseConv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: ConvolutionOptions): tf.Tensor4D {
  const attributes = convolutionAttributes("depthwiseConv2d", x, filter, options);
  const outputs = runOp(OP, { x, filter }, attributes) as [tf.Tensor4D] | undefined;
  return outputs?.[0] ?? tf.depthwiseConv2d(x, filter, options.strides, options.padding, "NHWC", options.dilations);
}
