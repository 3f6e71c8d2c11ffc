import type * as tf from "@tensorflow/tfjs";
import { inferShape } from "../../graph/shapes.js";
import type { Conv2dNode, DepthwiseConv2dNode, WeightedNode } from "../../graph/types.js";
import { conv2d } from "../ops/conv2d.js";
import type { ConvolutionOptions } from "../ops/convolution-op.js";
import { depthwiseConv2d } from "../ops/depthwise-conv2d.js";
import { matMul } from "../ops/mat-mul.js";

/** The product of a weighted node: its convolution or matrix product, without bias, normalization and activation. */
export const linear = {
  /** Weights in the shape of their variable; those of a conv1d get their height here. */
  apply(node: WeightedNode, x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
    const shaped = weights.reshape([...node.weightsShape]);
    switch (node.op) {
      case "conv2d":
        return conv2d(x as tf.Tensor4D, shaped as tf.Tensor4D, optionsOf(node));
      case "depthwiseConv2d":
        return depthwiseConv2d(x as tf.Tensor4D, shaped as tf.Tensor4D, optionsOf(node));
      case "dense":
        return dense(x, shaped as tf.Tensor2D);
    }
  },
  outputShape: (node: WeightedNode, input: tf.Shape): tf.Shape => [...inferShape(node, [input])],
};

function optionsOf({ strides, dilations, padding }: Conv2dNode | DepthwiseConv2dNode): ConvolutionOptions {
  return { strides: [...strides], dilations: [...dilations], padding };
}

/** On the last axis, of any rank. */
function dense(x: tf.Tensor, weights: tf.Tensor2D): tf.Tensor {
  const [inputs, outputs] = weights.shape;
  if (x.rank === 2) return matMul(x as tf.Tensor2D, weights);
  return matMul(x.reshape([-1, inputs]) as tf.Tensor2D, weights).reshape([...x.shape.slice(0, -1), outputs]);
}
