import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../../core/shape.js";
import { clipGradientCall } from "../../wasm/clip-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { type Op, runKernel, runOp, stockKernel } from "./run-op.js";

/** Activations that cut off: at 0, or at 0 and 6. */
export type Clip = "relu" | "relu6";

const GRADIENT = "BitpressClipGradient";
const STOCK = { relu: "Relu", relu6: "Relu6" } as const;
const UPPER = { relu: Number.POSITIVE_INFINITY, relu6: 6 } as const;

const OP: Op<{ readonly activation: Clip }> = {
  name: "BitpressClip",
  kernels: {
    BitpressClip: (call) => stockKernel(STOCK[call.attrs.activation], call),
    [GRADIENT]: ({ inputs: { dy, x }, attrs: { activation }, backend }) =>
      withBuffers(backend, clipGradientCall(sizeOf(x.shape), 0, UPPER[activation]), [dy, x], [x.shape])[0],
  },
  inputsToSave: ["x"],
  gradient: ([dy], [x], attrs) => ({ x: () => runKernel(GRADIENT, { dy, x }, attrs)[0] }),
};

/**
 * ReLU or ReLU6 of a float32 tensor of any shape, with a gradient in one pass: dy where 0 < x (and x ≤ 6), else 0.
 *
 * There are no second-order gradients. Errors: TypeError for another dtype.
 */
export function clip(x: tf.Tensor, activation: Clip): tf.Tensor {
  return runOp(OP, { x }, { activation })?.[0] ?? (activation === "relu" ? tf.relu(x) : tf.relu6(x));
}
