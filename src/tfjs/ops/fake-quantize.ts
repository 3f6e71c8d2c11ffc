import * as tf from "@tensorflow/tfjs";
import type { QuantParams } from "../../core/quant-params.js";
import { fakeQuantize as fakeQuantizeArray } from "../../wasm/fake-quantize.js";
import { fakeQuantizeCall, fakeQuantizeGradientCall } from "../../wasm/fake-quantize-call.js";
import { fakeQuantizeGradient as fakeQuantizeGradientArray } from "../../wasm/fake-quantize-gradient.js";
import { withBuffers } from "../backend-memory.js";
import { type HostBackend, hostTensor, onHostBackend, registerHostKernel } from "./host-backend.js";
import { columnsOf } from "./quant-params-tensor.js";
import { roundOps } from "./round-ops.js";

/** The grid of a fake-quantization; per channel, `axis` is where the columns of the parameters lie. */
export interface FakeQuantizeGrid {
  readonly qmin: number;
  readonly qmax: number;
  readonly axis?: number;
}

const FORWARD = "BitpressFakeQuantize";
const BACKWARD = "BitpressFakeQuantizeGradient";

/**
 * Rounds a tensor to its grid; the gradient passes straight through where the code before clamping lies on the grid.
 *
 * On cpu and wasm one registered kernel, in place on the wasm backend's memory per tensor, over copies per channel; elsewhere a
 * composition of stock ops. Parameters get no gradient, and the gradient none of its own.
 *
 * @param x float32, any shape
 * @param params [2, 1], or [2, C] with grid.axis; scale 0 leaves x as it is
 *
 * Rounding, source: src/reference/fake-quantize.ts, src/reference/fake-quantize-gradient.ts.
 */
export function fakeQuantize<T extends tf.Tensor>(x: T, params: tf.Tensor2D, grid: FakeQuantizeGrid): T {
  if (!onHostBackend()) return composed(x, params, grid) as T;
  registerKernels();
  return tf.engine().runKernel(FORWARD, { x, params }, { ...grid }) as T;
}

function registerKernels(): void {
  if (tf.getGradient(FORWARD) !== undefined) return;
  registerHostKernel(FORWARD, ({ inputs, attrs, backend }) => {
    const { x, params } = inputs as unknown as Record<"x" | "params", tf.TensorInfo>;
    const grid = attrs as unknown as FakeQuantizeGrid;
    const host = backend as unknown as HostBackend;
    const found = paramsOf(host.readSync(params.dataId), grid);
    if (found === undefined) return hostTensor(host, host.readSync(x.dataId).slice(), x.shape);
    if (isPerTensor(found)) return withBuffers(backend, fakeQuantizeCall(found, sizeOf(x)), [x], [x.shape])[0];
    return hostTensor(host, fakeQuantizeArray(host.readSync(x.dataId), found, { shape: x.shape }), x.shape);
  });
  registerHostKernel(BACKWARD, ({ inputs, attrs, backend }) => {
    const { dy, x, params } = inputs as unknown as Record<"dy" | "x" | "params", tf.TensorInfo>;
    const grid = attrs as unknown as FakeQuantizeGrid;
    const host = backend as unknown as HostBackend;
    const found = paramsOf(host.readSync(params.dataId), grid);
    if (found === undefined) return hostTensor(host, host.readSync(dy.dataId).slice(), x.shape);
    if (isPerTensor(found)) {
      return withBuffers(backend, fakeQuantizeGradientCall(found, sizeOf(x)), [dy, x], [x.shape])[0];
    }
    const values = [dy, x].map(({ dataId }) => host.readSync(dataId));
    return hostTensor(host, fakeQuantizeGradientArray(values[0], values[1], found, { shape: x.shape }), x.shape);
  });
  tf.registerGradient({
    kernelName: FORWARD,
    inputsToSave: ["x", "params"],
    gradFunc: (dy, [x, params], attrs) => ({
      x: () => tf.engine().runKernel(BACKWARD, { dy: dy as tf.Tensor, x, params }, attrs) as tf.Tensor,
      params: () => tf.zerosLike(params),
    }),
  });
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

function sizeOf({ shape }: tf.TensorInfo): number {
  return shape.reduce((size, n) => size * n, 1);
}

/** The same by stock ops: scale 0 is told by where(), since nothing is read back. */
function composed(x: tf.Tensor, params: tf.Tensor2D, { qmin, qmax, axis }: FakeQuantizeGrid): tf.Tensor {
  return tf.tidy(() => {
    const columns = axis === undefined ? [] : x.shape.map((size, i) => (i === axis ? size : 1));
    const [scales, zeroPoints] = tf.unstack(params).map((row) => row.reshape(columns));
    const quantized = tf.greater(scales, 0);
    const divisors = tf.where(quantized, scales, tf.onesLike(scales));
    const forward = tf.customGrad((given, save) => {
      const value = given as tf.Tensor;
      const [lo, hi] = [tf.sub(qmin, zeroPoints), tf.sub(qmax, zeroPoints)];
      const code = roundOps(tf.div(value, divisors));
      const inside = tf.logicalAnd(tf.greaterEqual(code, lo), tf.lessEqual(code, hi));
      (save as (tensors: tf.Tensor[]) => void)([tf.logicalOr(inside, tf.logicalNot(quantized)) as tf.Tensor]);
      const rounded = tf.mul(tf.minimum(tf.maximum(code, lo), hi), divisors);
      const y = tf.where(quantized.broadcastTo(value.shape as tf.ShapeMap[tf.Rank]), rounded, value);
      return { value: y, gradFunc: (dy: tf.Tensor, [mask]: tf.Tensor[]) => tf.mul(dy, tf.cast(mask, "float32")) };
    });
    return forward(x);
  });
}
