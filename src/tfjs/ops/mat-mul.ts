import * as tf from "@tensorflow/tfjs";
import type { ConvGeometry } from "../../core/conv-geometry.js";
import { formatShape } from "../../core/shape.js";
import { conv2dBackpropFilterCall } from "../../wasm/conv2d-backprop-filter.js";
import { conv2dBackpropInputCall } from "../../wasm/conv2d-backprop-input.js";
import { withBuffers } from "../backend-memory.js";
import { type Op, runKernel, runOp, stockKernel } from "./run-op.js";

const [BACKPROP_INPUT, BACKPROP_WEIGHTS] = ["BitpressMatMulBackpropInput", "BitpressMatMulBackpropWeights"];

/** Attributes of the stock kernel. */
interface MatMulAttributes {
  readonly transposeA: false;
  readonly transposeB: false;
}

const OP: Op<MatMulAttributes> = {
  name: "BitpressMatMul",
  kernels: {
    BitpressMatMul: ({ inputs: { x, weights }, ...call }) =>
      stockKernel("BatchMatMul", { ...call, inputs: { a: x, b: weights } }),
    [BACKPROP_INPUT]: ({ inputs: { dy, weights }, backend }) => {
      const shape = [dy.shape[0], weights.shape[0]];
      return withBuffers(
        backend,
        conv2dBackpropInputCall(asConvolution(shape, weights.shape)),
        [dy, weights],
        [shape],
      )[0];
    },
    [BACKPROP_WEIGHTS]: ({ inputs: { x, dy }, backend }) => {
      const shape = [x.shape[1], dy.shape[1]];
      return withBuffers(backend, conv2dBackpropFilterCall(asConvolution(x.shape, shape)), [x, dy], [shape])[0];
    },
  },
  inputsToSave: ["x", "weights"],
  gradient: ([dy], [x, weights]) => ({
    x: () => runKernel(BACKPROP_INPUT, { dy, weights })[0],
    weights: () => runKernel(BACKPROP_WEIGHTS, { x, dy })[0],
  }),
};

/** The product as a 1 × 1 convolution of an image one pixel high. */
function asConvolution([rows, inChannels]: readonly number[], [, outChannels]: readonly number[]): ConvGeometry {
  return {
    ...{ batch: 1, inHeight: 1, inWidth: rows, inChannels },
    ...{ outHeight: 1, outWidth: rows, outChannels },
    ...{ kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 },
    ...{ padTop: 0, padLeft: 0 },
  };
}

/**
 * The product of x [rows, in] and weights [in, out], both float32, as a dense layer has it.
 *
 * Its gradients are products with a transposed matrix, which the stock wasm kernel multiplies element by element; these are
 * those of a 1 × 1 convolution. There are no second-order gradients.
 *
 * Errors: RangeError for shapes that do not fit, TypeError for another dtype.
 */
export function matMul(x: tf.Tensor2D, weights: tf.Tensor2D): tf.Tensor2D {
  if (x.rank !== 2 || weights.rank !== 2 || x.shape[1] !== weights.shape[0]) {
    throw new RangeError(
      `matMul: expected x [rows, in] and weights [in, out], got ${formatShape(x.shape)} and ${formatShape(weights.shape)}`,
    );
  }
  const outputs = runOp(OP, { x, weights }, { transposeA: false, transposeB: false }) as [tf.Tensor2D] | undefined;
  return outputs?.[0] ?? tf.matMul(x, weights);
}
