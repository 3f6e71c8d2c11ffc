import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { unitGrid } from "../../core/unit-grid.js";
import { dorefaActivationsCall } from "../../wasm/dorefa-activations.js";
import { dorefaActivationsGradientCall } from "../../wasm/dorefa-activations-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { type Op, runKernel, runOp } from "./run-op.js";

interface Attributes {
  /** 1…16. */
  readonly bits: number;
  /** A float32 > 0. */
  readonly bound: number;
}

const GRADIENT = "BitpressDorefaActivationsGradient";

const OP: Op<Attributes> = {
  name: "BitpressDorefaActivations",
  kernels: {
    BitpressDorefaActivations: ({ inputs: { x }, attrs: { bits, bound }, backend }) =>
      withBuffers(backend, dorefaActivationsCall(sizeOf(x.shape), bits, bound), [x], [x.shape])[0],
    [GRADIENT]: ({ inputs: { dy, x }, attrs: { bound }, backend }) =>
      withBuffers(backend, dorefaActivationsGradientCall(sizeOf(x.shape), bound), [dy, x], [x.shape])[0],
  },
  inputsToSave: ["x"],
  gradient: ([dy], [x], attrs) => ({ x: () => runKernel(GRADIENT, { dy, x }, attrs)[0] }),
};

/**
 * Activations clipped to [0, bound] and rounded to 2^bits − 1 steps of it, as DoReFa-Net has them; the gradient is dy where
 * 0 ≤ x ≤ bound, else 0.
 *
 * On cpu and wasm bit for bit the array functions; elsewhere a composition of stock ops, in which NaN stays NaN.
 *
 * @param x float32, any shape
 * @param bits 1…16
 *
 * Rounding, source: src/reference/dorefa-activations.ts, src/reference/dorefa-activations-gradient.ts.
 */
export function dorefaActivations<T extends tf.Tensor>(x: T, bits: number, bound: number): T {
  return (runOp(OP, { x }, { bits, bound })?.[0] ?? byStockOps(x, bits, bound)) as T;
}

function byStockOps(x: tf.Tensor, bits: number, bound: number): tf.Tensor {
  const { scale, qmax } = unitGrid(bits, bound);
  const round = tf.customGrad((given, save) => {
    const value = given as tf.Tensor;
    (save as (tensors: tf.Tensor[]) => void)([value]);
    return {
      value: tf.tidy(() => tf.mul(tf.clipByValue(tf.round(tf.div(value, scale)), 0, qmax), scale)),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
        tf.tidy(() =>
          tf.mul(dy, tf.cast(tf.logicalAnd(tf.greaterEqual(saved, 0), tf.lessEqual(saved, bound)), "float32")),
        ),
    };
  });
  return round(x);
}
