import type { Tensor } from "@tensorflow/tfjs";
import { fakeQuantize, fakeQuantizeByStockOps } from "../src/tfjs/ops/fake-quantize.js";
import { compare, type Row } from "./comparison.js";
import { startProjectTensorflow } from "./project-tensorflow.js";
import { ELEMENTS, MANY_ELEMENTS, normalValues } from "./values.js";

const [SCALE, ZERO_POINT, QMIN, QMAX] = [Math.fround(6 / 255), 3, -128, 127];

/** The op on tensors of the tfjs wasm backend, no gradients asked for, against what stock ops do. */
export default async function measure(): Promise<Row[]> {
  return [...(await measureTensor(ELEMENTS)), ...(await measureTensor(MANY_ELEMENTS))];
}

async function measureTensor(elements: number): Promise<Row[]> {
  const tf = await startProjectTensorflow();
  const dropping = (operation: () => Tensor) => () => tf.dispose(tf.tidy(operation));
  const x = tf.tensor1d(normalValues(elements));
  const params = tf.tensor2d([SCALE, ZERO_POINT], [2, 1]);
  const grid = { qmin: QMIN, qmax: QMAX };
  return compare({
    kernel: `fake-quantize op of bitpress/tfjs, 2^${Math.log2(elements)}`,
    elements,
    resident: dropping(() => fakeQuantize(x, params, grid)),
    peers: [
      { name: "tfjs wasm, the division alone", run: dropping(() => x.div(SCALE)) },
      {
        name: "tfjs wasm, 3 ops, no clamp, no zero point",
        run: dropping(() => x.div(SCALE).round().mul(SCALE)),
        floor: 4,
      },
      {
        name: "tfjs wasm, 4 ops, no zero point",
        run: dropping(() => x.div(SCALE).clipByValue(QMIN, QMAX).round().mul(SCALE)),
      },
      {
        name: "tfjs wasm, 6 ops",
        run: dropping(() => x.div(SCALE).round().add(ZERO_POINT).clipByValue(QMIN, QMAX).sub(ZERO_POINT).mul(SCALE)),
        floor: 7,
      },
      { name: "its own composition of stock ops", run: dropping(() => fakeQuantizeByStockOps(x, params, grid)) },
    ],
  });
}
