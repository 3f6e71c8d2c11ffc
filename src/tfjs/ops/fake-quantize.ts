import * as tf from "@tensorflow/tfjs";
import type { QuantParams } from "../../core/quant-params.js";
import { sizeOf } from "../../core/shape.js";
import { fakeQuantize as fakeQuantizeArray } from "../../wasm/fake-quantize.js";
import { fakeQuantizeCall, fakeQuantizeGradientCall } from "../../wasm/fake-quantize-call.js";
import { fakeQuantizeGradient as fakeQuantizeGradientArray } from "../../wasm/fake-quantize-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { type HostBackend, hostTensor } from "./host-backend.js";
import { columnsOf } from "./quant-params-tensor.js";
import { type Op, runKernel, runOp } from "./run-op.js";

/** The grid of a fake-quantization; per channel, `axis` is where the columns of the parameters lie. */
export interface FakeQuantizeGrid {
  readonly qmin: number;
  readonly qmax: number;
  readonly axis?: number;
}

const GRADIENT = "BitpressFakeQuantizeGradient";

const OP: Op<FakeQuantizeGrid> = {
  name: "BitpressFakeQuantize",
  kernels: {
    BitpressFakeQuantize: ({ inputs: { x, params }, attrs, backend }) => {
      const host = backend as HostBackend;
      const found = paramsOf(host.readSync(params.dataId), attrs);
      if (found === undefined) return hostTensor(host, host.readSync(x.dataId).slice(), x.shape);
      if (isPerTensor(found)) return withBuffers(backend, fakeQuantizeCall(found, sizeOf(x.shape)), [x], [x.shape])[0];
      return hostTensor(host, fakeQuantizeArray(host.readSync(x.dataId), found, { shape: x.shape }), x.shape);
    },
    [GRADIENT]: ({ inputs: { dy, x, params }, attrs, backend }) => {
      const host = backend as HostBackend;
      const found = paramsOf(host.readSync(params.dataId), attrs);
      if (found === undefined) return hostTensor(host, host.readSync(dy.dataId).slice(), x.shape);
      if (isPerTensor(found)) {
        return withBuffers(backend, fakeQuantizeGradientCall(found, sizeOf(x.shape)), [dy, x], [x.shape])[0];
      }
      const [dyValues, xValues] = [dy, x].map(({ dataId }) => host.readSync(dataId));
      return hostTensor(host, fakeQuantizeGradientArray(dyValues, xValues, found, { shape: x.shape }), x.shape);
    },
  },
  inputsToSave: ["x", "params"],
  gradient: ([dy], [x, params], attrs) => ({
    x: () => runKernel(GRADIENT, { dy, x, params }, attrs)[0],
    params: () => tf.zerosLike(params),
  }),
};

/**
 * Rounds a tensor to its grid; the gradient passes straight through where the code before clamping lies on the grid.
 *
 * On cpu and wasm one registered kernel, in place on the wasm backend's memory per tensor, over copies per channel; elsewhere a
 * composition of stock ops, in which NaN stays NaN. Parameters get no gradient, and the gradient none of its own.
 *
 * @param x float32, any shape
 * @param params [2, 1], or [2, C] with grid.axis; scale 0 leaves x as it is
 *
 * Rounding, source: src/reference/fake-quantize.ts, src/reference/fake-quantize-gradient.ts.
 */
export function fakeQuantize<T extends tf.Tensor>(x: T, params: tf.Tensor2D, grid: FakeQuantizeGrid): T {
  return (runOp(OP, { x, params }, { ...grid })?.[0] ?? fakeQuantizeByStockOps(x, params, grid)) as T;
}

type TensorParams = QuantParams & { readonly scale: number; readonly zeroPoint: number };

function paramsOf(values: Float32Array, { qmin, qmax, axis }: FakeQuantizeGrid): QuantParams | undefined {
  const { scale, zeroPoint } = columnsOf(values);
  if (scale[0] === 0) return undefined;
  if (axis === undefined) return { scale: scale[0], zeroPoint: zeroPoint[0], qmin, qmax };
  return { scale, zeroPoint, qmin, qmax, axis };
}

function isPerTensor(params: QuantParams): params is TensorParams {
  return params.axis === undefined;
}

/**
 * The same by stock ops: scale 0 is told by where(), since nothing is read back.
 *
 * tf.round goes to even in ties on the cpu, webgl and webgpu backends and in TensorFlow. A sum with 2^23, which rounds as well,
 * would not do: where webgl has no 32-bit floats to write to, as on many phones, it is infinite.
 */
export function fakeQuantizeByStockOps(
  x: tf.Tensor,
  params: tf.Tensor2D,
  { qmin, qmax, axis }: FakeQuantizeGrid,
): tf.Tensor {
  return tf.tidy(() => {
    const columns = axis === undefined ? [] : x.shape.map((size, i) => (i === axis ? size : 1));
    const [scales, zeroPoints] = tf.unstack(params).map((row) => row.reshape(columns));
    const quantized = tf.greater(scales, 0);
    const divisors = tf.where(quantized, scales, tf.onesLike(scales));
    const forward = tf.customGrad((given, save) => {
      const value = given as tf.Tensor;
      const [lo, hi] = [tf.sub(qmin, zeroPoints), tf.sub(qmax, zeroPoints)];
      const code = tf.round(tf.div(value, divisors));
      const inside = tf.logicalAnd(tf.greaterEqual(code, lo), tf.lessEqual(code, hi));
      (save as (tensors: tf.Tensor[]) => void)([tf.logicalOr(inside, tf.logicalNot(quantized)) as tf.Tensor]);
      const rounded = tf.mul(tf.minimum(tf.maximum(code, lo), hi), divisors);
      const y = tf.where(quantized.broadcastTo(value.shape as tf.ShapeMap[tf.Rank]), rounded, value);
      return { value: y, gradFunc: (dy: tf.Tensor, [mask]: tf.Tensor[]) => tf.mul(dy, tf.cast(mask, "float32")) };
    });
    return forward(x);
  });
}
