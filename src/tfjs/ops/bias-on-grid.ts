import * as tf from "@tensorflow/tfjs";
import { biasOnGrid as biasOnGridArray } from "../../reference/bias-on-grid.js";
import { onHostBackend } from "./host-backend.js";

/** From 2^23 on every float32 is an integer. */
const INTEGERS = 2 ** 23;

/**
 * Rounds biases to the int32 grid of their layer's products, sx · sw[c]; the gradient is the identity.
 *
 * On cpu and wasm in float64, rounded to float32 once; elsewhere by stock ops in float32. An input scale of 0 (not quantized for
 * now) leaves the biases as they are.
 *
 * @param bias [C]
 * @param inputParams [2, 1]
 * @param weightParams [2, C] or [2, 1]
 *
 * Source: src/reference/bias-on-grid.ts.
 */
export function biasOnGrid(bias: tf.Tensor1D, inputParams: tf.Tensor2D, weightParams: tf.Tensor2D): tf.Tensor1D {
  const onGrid = tf.customGrad((given) => {
    const value = onHostBackend()
      ? rounded(given as tf.Tensor1D, inputParams, weightParams)
      : composed(given as tf.Tensor1D, inputParams, weightParams);
    return { value, gradFunc: (dy: tf.Tensor) => dy.clone() };
  });
  return onGrid(bias) as tf.Tensor1D;
}

function rounded(bias: tf.Tensor1D, inputParams: tf.Tensor2D, weightParams: tf.Tensor2D): tf.Tensor1D {
  const inputScale = inputParams.dataSync()[0];
  if (inputScale === 0) return bias.clone();
  const values = bias.dataSync<"float32">().slice();
  const scales = weightParams.dataSync<"float32">().subarray(0, weightParams.shape[1]);
  biasOnGridArray(values, inputScale, scales, values);
  return tf.tensor1d(values);
}

function composed(bias: tf.Tensor1D, inputParams: tf.Tensor2D, weightParams: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => {
    const inputScale = inputParams.slice([0, 0], [1, 1]).reshape([]);
    const step = tf.mul(weightParams.slice([0, 0], [1, -1]).reshape([-1]), inputScale);
    const quantized = tf.greater(step, 0);
    const code = tf.div(bias, tf.where(quantized, step, tf.onesLike(step)));
    // Larger codes are whole as they are, and infinite where the backend's floats have 16 bits.
    const rounds = tf.logicalAnd(quantized, tf.less(tf.abs(code), INTEGERS));
    return tf.where(rounds, tf.mul(tf.round(code), step), bias) as tf.Tensor1D;
  });
}
