import * as tf from "@tensorflow/tfjs";
import type { ConvolutionOptions } from "../../../src/tfjs/ops/convolution-op.js";

type Pair = [number, number];

/** Windows in all ways of lying over an image of 7 × 6. */
export const SETTINGS: readonly (ConvolutionOptions & { readonly kernel: Pair })[] = [
  { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], padding: "same" },
  { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padding: "same" },
  { kernel: [3, 2], strides: [1, 1], dilations: [1, 1], padding: "valid" },
  { kernel: [2, 3], strides: [2, 1], dilations: [1, 1], padding: "valid" },
  { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], padding: "same" },
  { kernel: [1, 1], strides: [2, 2], dilations: [1, 1], padding: "valid" },
  { kernel: [3, 2], strides: [1, 1], dilations: [2, 2], padding: "same" },
  { kernel: [2, 3], strides: [1, 1], dilations: [3, 2], padding: "valid" },
];

/** A filter with zeros between its taps: stock ops have no gradient of dilated convolutions. */
export function dilated(filter: tf.Tensor, [dh, dw]: Pair): tf.Tensor4D {
  const [kh, kw, inner, outer] = filter.shape;
  const spread = tf.pad(tf.reshape(filter, [kh, 1, kw, 1, inner * outer]), [
    [0, 0],
    [0, dh - 1],
    [0, 0],
    [0, dw - 1],
    [0, 0],
  ]);
  const all = tf.reshape(spread, [kh * dh, kw * dw, inner, outer]) as tf.Tensor4D;
  return tf.slice(all, 0, [(kh - 1) * dh + 1, (kw - 1) * dw + 1, inner, outer]);
}
