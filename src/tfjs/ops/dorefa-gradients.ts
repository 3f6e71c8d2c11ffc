import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { type NoiseSource, noiseAt, noiseKey } from "../../reference/gradient-noise.js";
import { dorefaGradientsCall } from "../../wasm/dorefa-gradients.js";
import { checkedBuffers } from "./checked-buffers.js";
import { type Op, runKernel, runOp, stockKernel } from "./run-op.js";

/** How a gradient is rounded. */
export interface GradientRounding extends NoiseSource {
  /** Begins the message of errors. */
  readonly where: string;
  /** 1…16, or 32 for untouched. */
  readonly bits: number;
}

const GRADIENT = "BitpressDorefaGradients";

const OP: Op<GradientRounding> = {
  name: "BitpressRoundsGradient",
  kernels: {
    // Another tensor of the same data; on the wasm backend a clone copies it.
    BitpressRoundsGradient: ({ inputs: { x }, ...call }) =>
      stockKernel("Reshape", { ...call, inputs: { x }, attrs: { shape: x.shape } }),
    [GRADIENT]: ({ inputs: { dr }, attrs: { where, bits, ...source }, backend }) =>
      checkedBuffers(where, backend, dorefaGradientsCall(sizeOf(dr.shape), bits, dr.shape[0], source), [dr], dr),
  },
  gradient: ([dr], _saved, attrs) => ({ x: () => runKernel(GRADIENT, { dr }, attrs)[0] }),
};

/**
 * x itself; the gradient that arrives here goes on in few bits, right on average, as DoReFa-Net has it.
 *
 * On cpu and wasm bit for bit the array function; elsewhere a composition of stock ops with the very same noise, drawn on the
 * host: values next to a tie may be one code off.
 *
 * @param x float32 [batch, …]: each sample's gradient has a maximum of its own
 *
 * Errors: QuantError `non-finite` for NaN or ±Infinity in the gradient, on cpu and wasm.
 * Rounding, source: src/reference/dorefa-gradients.ts.
 */
export function dorefaGradients<T extends tf.Tensor>(x: T, rounding: GradientRounding): T {
  if (rounding.bits === UNTOUCHED_BITS) return x;
  return (runOp(OP, { x }, rounding)?.[0] ?? byStockOps(x, rounding)) as T;
}

function byStockOps(x: tf.Tensor, rounding: GradientRounding): tf.Tensor {
  const round = tf.customGrad((given) => ({
    value: (given as tf.Tensor).clone(),
    gradFunc: (dr: tf.Tensor) => tf.tidy(() => rounded(dr, rounding)),
  }));
  return round(x);
}

function rounded(dr: tf.Tensor, { bits, ...source }: GradientRounding): tf.Tensor {
  const levels = 2 ** bits - 1;
  const largest = tf.max(
    tf.abs(dr),
    dr.shape.slice(1).map((_, i) => i + 1),
    true,
  );
  const divisor = tf.where(tf.greater(largest, 0), largest, tf.onesLike(largest));
  const v = tf.add(tf.mul(tf.div(dr, divisor), levels / 2), levels / 2);
  const r = tf.round(v);
  const code = tf.add(r, tf.round(tf.add(tf.sub(v, r), noise(dr.shape, noiseKey(source)))));
  return tf.mul(tf.mul(tf.sub(tf.mul(code, 2), levels), 1 / levels), largest);
}

function noise(shape: readonly number[], key: number): tf.Tensor {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = noiseAt(key, i);
  return tf.tensor(values, [...shape]);
}
