import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { signActivationsCall } from "../../wasm/sign-activations.js";
import { signActivationsGradientCall } from "../../wasm/sign-activations-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { type Op, runKernel, runOp } from "./run-op.js";

const GRADIENT = "BitpressSignActivationsGradient";

const OP: Op = {
  name: "BitpressSignActivations",
  kernels: {
    BitpressSignActivations: ({ inputs: { x }, backend }) =>
      withBuffers(backend, signActivationsCall(sizeOf(x.shape)), [x], [x.shape])[0],
    [GRADIENT]: ({ inputs: { dy, x }, backend }) =>
      withBuffers(backend, signActivationsGradientCall(sizeOf(x.shape)), [dy, x], [x.shape])[0],
  },
  inputsToSave: ["x"],
  gradient: ([dy], [x]) => ({ x: () => runKernel(GRADIENT, { dy, x })[0] }),
};

/**
 * Signs of activations, as BNN has them: 1 where x ≥ 0, else −1; the gradient is dy where |x| ≤ 1, else 0.
 *
 * On cpu and wasm the array functions; elsewhere a composition of stock ops that gives the same.
 *
 * @param x float32, any shape
 *
 * Source: src/reference/sign-activations.ts, src/reference/sign-activations-gradient.ts.
 */
export function signActivations<T extends tf.Tensor>(x: T): T {
  return (runOp(OP, { x }, {})?.[0] ?? byStockOps(x)) as T;
}

function byStockOps(x: tf.Tensor): tf.Tensor {
  const sign = tf.customGrad((given, save) => {
    const value = given as tf.Tensor;
    (save as (tensors: tf.Tensor[]) => void)([value]);
    return {
      value: tf.tidy(() => tf.sub(tf.mul(tf.cast(tf.greaterEqual(value, 0), "float32"), 2), 1)),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
        tf.tidy(() => tf.mul(dy, tf.cast(tf.lessEqual(tf.abs(saved), 1), "float32"))),
    };
  });
  return sign(x);
}
