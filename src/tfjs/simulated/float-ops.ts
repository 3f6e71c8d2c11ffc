import * as tf from "@tensorflow/tfjs";
import type { Padding, Pair } from "../../graph/types.js";

export interface ConvOptions {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

export function conv2d(x: tf.Tensor, filter: tf.Tensor, o: ConvOptions): tf.Tensor {
  return tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [...o.strides], o.padding, "NHWC", [...o.dilations]);
}

export function depthwiseConv2d(x: tf.Tensor, filter: tf.Tensor, o: ConvOptions): tf.Tensor {
  return tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [...o.strides], o.padding, "NHWC", [
    ...o.dilations,
  ]);
}

export function addBias(x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return tf.add(x, bias);
}

export function channelAffine(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(x, scale), shift);
}

export function momentsOf(x: tf.Tensor): [tf.Tensor1D, tf.Tensor1D] {
  const axes = x.shape.map((_, i) => i).slice(0, -1);
  const { mean, variance } = tf.moments(x, axes);
  return [mean as tf.Tensor1D, variance as tf.Tensor1D];
}

export function batchNormTrain(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
): [tf.Tensor, tf.Tensor1D, tf.Tensor1D] {
  const [mean, variance] = momentsOf(x);
  return [
    tf.batchNorm(x as tf.Tensor4D, mean, variance, beta as tf.Tensor1D, gamma as tf.Tensor1D, epsilon),
    mean,
    variance,
  ];
}

export function clip(x: tf.Tensor, kind: "relu" | "relu6"): tf.Tensor {
  return kind === "relu" ? tf.relu(x) : tf.relu6(x);
}

export function maxPool(x: tf.Tensor, size: Pair, strides: Pair, padding: Padding): tf.Tensor {
  return tf.maxPool(x as tf.Tensor4D, [...size], [...strides], padding);
}
