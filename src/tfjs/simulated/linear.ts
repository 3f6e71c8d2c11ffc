import * as tf from "@tensorflow/tfjs";
import { inferShape } from "../../graph/shapes.js";
import type { WeightedNode } from "../../graph/types.js";
import { conv2d, depthwiseConv2d } from "./float-ops.js";

/** The product of a weighted node: its convolution or matrix product, without bias, normalization and activation. */
export const linear = {
  /** Weights in the shape of their variable; those of a conv1d get their height here. */
  apply(node: WeightedNode, x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
    const shaped = weights.reshape([...node.weightsShape]);
    switch (node.op) {
      case "conv2d":
        return conv2d(x, shaped, node);
      case "depthwiseConv2d":
        return depthwiseConv2d(x, shaped, node);
      case "dense":
        return dense(x, shaped as tf.Tensor2D);
    }
  },
  outputShape: (node: WeightedNode, input: tf.Shape): tf.Shape => [...inferShape(node, [input])],
};

/** On the last axis, of any rank. */
function dense(x: tf.Tensor, weights: tf.Tensor2D): tf.Tensor {
  const [inputs, outputs] = weights.shape;
  if (x.rank === 2) return tf.matMul(x as tf.Tensor2D, weights);
  return tf.matMul(x.reshape([-1, inputs]) as tf.Tensor2D, weights).reshape([...x.shape.slice(0, -1), outputs]);
}
