import * as tf from "@tensorflow/tfjs";
import { nonFiniteError } from "../../core/tensor.js";
import { movingAverage } from "../../reference/moving-average.js";
import { minMaxCall } from "../../wasm/min-max-call.js";
import { withBuffers } from "../backend-memory.js";
import { type HostBackend, onHostBackend, registerHostKernel } from "./host-backend.js";

const KERNEL = "BitpressMinMax";

/**
 * The moving range of a tensor's values after one more batch: `t = decay · t + (1 − decay) · batch`, or the batch's own.
 *
 * On cpu and wasm in float64, rounded to float32 once; elsewhere by stock ops in float32. No gradient.
 *
 * @param where begins the message of errors
 * @param x float32, at least one element
 * @param range [min, max] as it was; undefined for the first batch
 * @returns the new [min, max]
 *
 * Errors: QuantError `non-finite`, naming the first index, for NaN or ±Infinity (not told on backends that read nothing back).
 * Source: src/reference/moving-average.ts.
 */
export function observeRange(where: string, x: tf.Tensor, range: tf.Tensor1D | undefined, decay: number): tf.Tensor1D {
  return tf.tidy(() => {
    if (!onHostBackend()) return composed(x, range, decay);
    registerKernel();
    const pair = tf.engine().runKernel(KERNEL, { x }) as tf.Tensor1D;
    const batch = pair.dataSync<"float32">();
    if (!Number.isFinite(batch[0])) throw nonFiniteError(where, x.dataSync());
    if (range === undefined) return pair;
    const state = range.dataSync<"float32">().slice();
    movingAverage(state, batch, decay);
    return tf.tensor1d(state);
  });
}

/** Gives NaN for both ends where the values are not all finite. */
function registerKernel(): void {
  registerHostKernel(KERNEL, ({ inputs, backend }) => {
    const { x } = inputs as unknown as { readonly x: tf.TensorInfo };
    const call = minMaxCall(x.shape.reduce((size, n) => size * n, 1));
    const [pair] = withBuffers(backend, call, [x], [[2]]);
    if (call.found.finite) return pair;
    const host = backend as unknown as HostBackend & { disposeData(dataId: object): unknown };
    host.disposeData(pair.dataId);
    return { dataId: host.write(Float32Array.of(NaN, NaN), [2], "float32"), shape: [2], dtype: "float32" };
  });
}

function composed(x: tf.Tensor, range: tf.Tensor1D | undefined, decay: number): tf.Tensor1D {
  const batch = tf.stack([tf.min(x), tf.max(x)]) as tf.Tensor1D;
  return range === undefined ? batch : tf.add(tf.mul(range, decay), tf.mul(batch, 1 - decay));
}
