import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { dorefaWeightsCall } from "../../wasm/dorefa-weights.js";
import { dorefaWeightsGradientCall } from "../../wasm/dorefa-weights-gradient.js";
import { checkedBuffers } from "./checked-buffers.js";
import { type Op, runKernel, runOp } from "./run-op.js";

interface Attributes {
  /** Begins the message of errors. */
  readonly where: string;
  /** 1…16. */
  readonly bits: number;
}

const GRADIENT = "BitpressDorefaWeightsGradient";

const OP: Op<Attributes> = {
  name: "BitpressDorefaWeights",
  kernels: {
    BitpressDorefaWeights: ({ inputs: { w }, attrs: { where, bits }, backend }) =>
      checkedBuffers(where, backend, dorefaWeightsCall(sizeOf(w.shape), bits), [w], w),
    [GRADIENT]: ({ inputs: { dy, w }, attrs: { where }, backend }) =>
      checkedBuffers(where, backend, dorefaWeightsGradientCall(sizeOf(w.shape)), [dy, w], w),
  },
  inputsToSave: ["w"],
  gradient: ([dy], [w], attrs) => ({
    // Reshape gives another tensor of the same data; on the wasm backend a clone copies it.
    w: () => (attrs.bits === 1 ? tf.reshape(dy, dy.shape) : runKernel(GRADIENT, { dy, w }, attrs)[0]),
  }),
};

/**
 * The weights of one layer in few bits, as DoReFa-Net has them: 1 bit to ±E|w|, more through tanh; 32 bits leave them as they are.
 *
 * The gradient passes straight through the rounding, and through tanh and the maximum as they are; with 1 bit it is dy. On cpu and
 * wasm bit for bit the array functions; elsewhere a composition of stock ops, whose tanh and sums are the backend's: a few values
 * next to a tie are one code off.
 *
 * @param where begins the message of errors
 * @param w float32, any shape, at least one element
 * @param bits 1…16, or 32
 *
 * Errors: QuantError `non-finite` for NaN or ±Infinity, on cpu and wasm.
 * Rounding, source: src/reference/dorefa-weights.ts, src/reference/dorefa-weights-gradient.ts.
 */
export function dorefaWeights<T extends tf.Tensor>(where: string, w: T, bits: number): T {
  if (bits === UNTOUCHED_BITS) return w;
  return (runOp(OP, { w }, { where, bits })?.[0] ?? byStockOps(w, bits)) as T;
}

function byStockOps(w: tf.Tensor, bits: number): tf.Tensor {
  const round = tf.customGrad((given, save) => {
    (save as (tensors: tf.Tensor[]) => void)([given as tf.Tensor]);
    const value = tf.tidy(() => (bits === 1 ? signs(given as tf.Tensor) : rounded(given as tf.Tensor, bits)));
    return {
      value,
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => (bits === 1 ? dy.clone() : tf.tidy(() => gradient(dy, saved))),
    };
  });
  return round(w);
}

function signs(w: tf.Tensor): tf.Tensor {
  const mean = tf.mean(tf.abs(w));
  return tf.where(tf.greaterEqual(w, 0), mean, tf.neg(mean));
}

function rounded(w: tf.Tensor, bits: number): tf.Tensor {
  const levels = 2 ** bits - 1;
  const limit = tf.tanh(tf.max(tf.abs(w)));
  const quotient = tf.div(tf.tanh(w), tf.where(tf.greater(limit, 0), limit, tf.onesLike(limit)));
  const code = tf.round(tf.add(tf.mul(quotient, levels / 2), levels / 2));
  return tf.mul(tf.sub(tf.mul(code, 2), levels), 1 / levels);
}

function gradient(dy: tf.Tensor, w: tf.Tensor): tf.Tensor {
  const largest = tf.max(tf.abs(w));
  const nothing = tf.equal(largest, 0);
  const limit = tf.where(nothing, tf.onesLike(largest), tf.tanh(largest));
  const slope = (t: tf.Tensor) => tf.mul(tf.sub(1, t), tf.add(1, t));
  const t = tf.tanh(w);
  const isLargest = tf.cast(tf.equal(tf.abs(w), largest), "float32");
  const throughMaximum = tf.div(
    tf.mul(tf.div(tf.div(tf.sum(tf.mul(dy, t)), limit), limit), slope(limit)),
    tf.sum(isLargest),
  );
  const straight = tf.div(tf.mul(dy, slope(t)), limit);
  const dw = tf.sub(straight, tf.mul(tf.mul(isLargest, tf.sign(w)), throughMaximum));
  return tf.mul(dw, tf.cast(tf.logicalNot(nothing), "float32"));
}
