import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { nonFiniteError } from "../../core/tensor.js";
import { movingAverage } from "../../reference/moving-average.js";
import { minMaxCall } from "../../wasm/min-max-call.js";
import { withBuffers } from "../backend-memory.js";
import { type HostBackend, hostTensor } from "./host-backend.js";
import { type Op, runOp } from "./run-op.js";

/** Smallest and largest value as [min, max]; both NaN where the values are not all finite. */
const OP: Op = {
  name: "BitpressMinMax",
  kernels: {
    BitpressMinMax: ({ inputs: { x }, backend }) => {
      const call = minMaxCall(sizeOf(x.shape));
      const [pair] = withBuffers(backend, call, [x], [[2]]);
      if (call.found.finite) return pair;
      const host = backend as HostBackend;
      host.disposeData(pair.dataId);
      return hostTensor(host, Float32Array.of(Number.NaN, Number.NaN), [2]);
    },
  },
  gradient: () => ({}),
};

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
 * Errors: RangeError for an empty tensor; QuantError `non-finite`, naming the first index, for NaN or ±Infinity (on backends that
 * read nothing back it is not told: NaN stays in the range, and in all that is rounded to it).
 * Source: src/reference/moving-average.ts.
 */
export function observeRange(where: string, x: tf.Tensor, range: tf.Tensor1D | undefined, decay: number): tf.Tensor1D {
  if (x.size === 0) throw new RangeError(`${where}: expected at least one element, got an empty tensor`);
  return tf.tidy(() => {
    const pair = runOp(OP, { x }, {})?.[0] as tf.Tensor1D | undefined;
    if (pair === undefined) return composed(x, range, decay);
    const batch = pair.dataSync<"float32">();
    if (!Number.isFinite(batch[0])) throw nonFiniteError(where, x.dataSync());
    if (range === undefined) return pair;
    const state = range.dataSync<"float32">().slice();
    movingAverage(state, batch, decay);
    return tf.tensor1d(state);
  });
}

function composed(x: tf.Tensor, range: tf.Tensor1D | undefined, decay: number): tf.Tensor1D {
  const batch = tf.stack([tf.min(x), tf.max(x)]) as tf.Tensor1D;
  return range === undefined ? batch : tf.add(tf.mul(range, decay), tf.mul(batch, 1 - decay));
}
