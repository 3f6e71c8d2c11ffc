import * as tf from "@tensorflow/tfjs";
import { type GridOptions, gridOf } from "../../core/grid.js";
import { chooseQuantParams } from "../../reference/choose-quant-params.js";
import { onHostBackend } from "./host-backend.js";
import { paramsTensor } from "./quant-params-tensor.js";

const SMALLEST_NORMAL = 2 ** -126;

/**
 * Parameters [2, C] of the ranges between two tensors of C values, min and max. No gradient.
 *
 * On cpu and wasm exactly chooseQuantParams; elsewhere by stock ops in float32, whose affine scales may differ by one unit in
 * the last place. Errors: as chooseQuantParams, on cpu and wasm. `where` begins the message.
 */
export function rangeParams(where: string, min: tf.Tensor1D, max: tf.Tensor1D, options: GridOptions): tf.Tensor2D {
  return tf.tidy(() => {
    if (!onHostBackend()) return composed(min, max, options);
    const range = { min: min.dataSync<"float32">(), max: max.dataSync<"float32">() };
    return paramsTensor(chooseQuantParams(range, options, where));
  });
}

function composed(min: tf.Tensor1D, max: tf.Tensor1D, options: GridOptions): tf.Tensor2D {
  const { bits, signed = true, symmetric = false } = options;
  const { qmin, qmax } = gridOf("rangeParams", options);
  const lo = tf.minimum(min, 0);
  const hi = tf.maximum(max, 0);
  const extent = symmetric ? tf.maximum(tf.neg(lo), hi) : tf.sub(hi, lo);
  const steps = symmetric ? (signed ? qmax : 2 ** (bits - 1)) : qmax - qmin;
  const empty = tf.equal(extent, 0);
  const scale = tf.where(empty, tf.onesLike(extent), tf.maximum(tf.div(extent, steps), SMALLEST_NORMAL));
  if (symmetric) return stackColumns(scale, tf.onesLike(scale).mul(signed ? 0 : 2 ** (bits - 1)), empty, qmin);
  const fitted = tf.clipByValue(tf.round(tf.sub(qmin, tf.div(lo, scale))), qmin, qmax);
  return stackColumns(scale, fitted, empty, qmin);
}

/** A range of only 0 has zero point 0, clamped into the grid. */
function stackColumns(scale: tf.Tensor, zeroPoint: tf.Tensor, empty: tf.Tensor, qmin: number): tf.Tensor2D {
  const zero = tf.onesLike(zeroPoint).mul(Math.max(qmin, 0));
  return tf.stack([scale, tf.where(empty, zero, zeroPoint)]) as tf.Tensor2D;
}
