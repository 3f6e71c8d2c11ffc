import * as tf from "@tensorflow/tfjs";
import { formatShape } from "../../core/shape.js";
import { maxPoolGradientCall } from "../../wasm/max-pool-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { poolGeometry } from "../conv-geometry.js";
import { type Op, runKernel, runOp, stockKernel } from "./run-op.js";

/** How a 2D pooling lies over its input; height first. */
export interface PoolOptions {
  readonly poolSize: [number, number];
  readonly strides: [number, number];
  readonly padding: "same" | "valid";
}

/** Attributes of the kernels; the names that stock kernels read. */
interface PoolAttributes {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: "same" | "valid";
}

const GRADIENT = "BitpressMaxPoolGradient";

const OP: Op<PoolAttributes> = {
  name: "BitpressMaxPool",
  kernels: {
    BitpressMaxPool: (call) => stockKernel("MaxPool", call),
    [GRADIENT]: ({ inputs: { dy, x }, attrs: { filterSize, strides, pad }, backend }) => {
      const geometry = poolGeometry(x.shape, { poolSize: filterSize, strides, pad });
      return withBuffers(backend, maxPoolGradientCall(geometry), [dy, x], [x.shape])[0];
    },
  },
  inputsToSave: ["x"],
  gradient: ([dy], [x], attrs) => ({ x: () => runKernel(GRADIENT, { dy, x }, attrs)[0] }),
};

/**
 * 2D max pooling of x [batch, height, width, channels], float32.
 *
 * The gradient goes to the first of equal maxima, row by row, as on the tfjs cpu backend; the stock wasm backend gives it to
 * the last of them, and in windows without a positive value to the wrong element. There are no second-order gradients.
 *
 * Errors: RangeError for another rank, TypeError for another dtype.
 */
export function maxPool(x: tf.Tensor4D, { poolSize, strides, padding }: PoolOptions): tf.Tensor4D {
  if (x.rank !== 4) throw new RangeError(`maxPool: expected x of rank 4, got ${formatShape(x.shape)}`);
  const outputs = runOp(OP, { x }, { filterSize: poolSize, strides, pad: padding }) as [tf.Tensor4D] | undefined;
  return outputs?.[0] ?? tf.maxPool(x, poolSize, strides, padding);
}
