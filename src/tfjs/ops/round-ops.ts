import * as tf from "@tensorflow/tfjs";

/** From 2^23 on every float32 is an integer. */
const INTEGERS = 2 ** 23;

/**
 * Round to nearest, ties to even, by stock ops that every backend rounds alike (tf.round differs in ties between backends).
 *
 * Below 2^23 the sum |x| + 2^23 leaves no bits for the fraction, and the addition itself rounds ties to even.
 */
export function roundOps(x: tf.Tensor): tf.Tensor {
  const size = tf.abs(x);
  const rounded = tf.mul(tf.sub(tf.add(size, INTEGERS), INTEGERS), tf.sign(x));
  return tf.where(tf.less(size, INTEGERS), rounded, x);
}
