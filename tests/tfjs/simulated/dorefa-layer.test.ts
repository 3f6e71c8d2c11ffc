import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { DoReFaQuantizer } from "../../../src/tfjs/dorefa-quantizer.js";
import { DorefaLayer } from "../../../src/tfjs/simulated/dorefa-layer.js";
import { linear } from "../../../src/tfjs/simulated/linear.js";
import { dorefaGradients } from "../../../src/wasm/dorefa-gradients.js";
import { dorefaWeights } from "../../../src/wasm/dorefa-weights.js";
import { dorefaWeightsGradient } from "../../../src/wasm/dorefa-weights-gradient.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { randomizeWeights } from "../model-zoo.js";
import { go, nothingLeft } from "../ops/backends.js";

const { layers } = tf;
const BITS = { weightBits: 2, activationBits: 32, gradientBits: 3, seed: 7 };

/** The layer under test between two dense ones, with weights that hide nothing; compressed. */
function compressed(inner: tf.layers.Layer, inputShape: number[]): DorefaLayer {
  const model = tf.sequential({
    layers: [
      layers.dense({ name: "first", units: inputShape.at(-1) as number, inputShape }),
      inner,
      layers.dense({ name: "last", units: 2 }),
    ],
  });
  randomizeWeights(model);
  const layer = new DoReFaQuantizer(BITS).compress(model).getLayer(inner.name);
  assert.ok(layer instanceof DorefaLayer);
  return layer;
}

const INNER: Readonly<Record<string, () => DorefaLayer>> = {
  conv2d: () => compressed(layers.conv2d({ name: "inner", filters: 5, kernelSize: 3, strides: 2 }), [9, 9, 3]),
  "conv2d without bias, with relu": () =>
    compressed(
      layers.conv2d({ name: "inner", filters: 4, kernelSize: 3, useBias: false, activation: "relu" }),
      [6, 6, 2],
    ),
  depthwiseConv2d: () =>
    compressed(layers.depthwiseConv2d({ name: "inner", kernelSize: 3, depthMultiplier: 2 }), [6, 6, 3]),
  dense: () => compressed(layers.dense({ name: "inner", units: 6 }), [10]),
  "dense on sequences": () => compressed(layers.dense({ name: "inner", units: 6 }), [4, 10]),
};

const values = (tensor: tf.Tensor): Float32Array => tensor.dataSync<"float32">().slice();

describe("DorefaLayer", () => {
  for (const backend of ["cpu", "wasm"] as const) {
    for (const [name, make] of Object.entries(INNER)) {
      it(`${name}: forward and backward are the array functions and the product, bit for bit, step by step, on ${backend}`, async () => {
        await go(backend);
        const layer = make();
        const { node } = layer.config;
        const [kernel, bias] = layer.weights.filter(({ originalName }) => !originalName.endsWith("step"));
        const w = values(kernel.read());
        const shape = [3, ...((layer.input as tf.SymbolicTensor).shape.slice(1) as number[])];
        for (const step of [0, 1]) {
          nothingLeft(`step ${step}`, () => {
            const x = tf.tensor(noise(tf.util.sizeFromShape(shape), 3), shape);
            const call = (input: tf.Tensor, _kernel: tf.Tensor): tf.Tensor =>
              layer.apply(input, { training: true }) as tf.Tensor;
            const product = (input: tf.Tensor, weights: tf.Tensor) => linear.apply(node, input, weights);

            const wq = tf.tensor(dorefaWeights(w, 2), kernel.shape as number[]);
            const z = product(x, wq);
            const sum = bias === undefined ? z : tf.add(z, bias.read());
            const y = node.activation === "relu" ? tf.relu(sum) : sum;
            const dy = tf.tensor(noise(y.size, 99), y.shape);
            const [dx, dw, db] = tf.grads((input: tf.Tensor, ...trained: tf.Tensor[]) => call(input, trained[0]))(
              [x, kernel.read(), ...(bias === undefined ? [] : [bias.read()])],
              dy,
            );

            const arriving = values(
              node.activation === "relu" ? tf.mul(dy, tf.cast(tf.greater(sum, 0), "float32")) : dy,
            );
            const source = { batch: 3, seed: 7, step, tensor: 0 };
            const dz = tf.tensor(dorefaGradients(arriving, 3, source), y.shape);
            const [expectedDx, dwq] = tf.grads(product)([x, wq], dz);
            assertSameBytes(values(dx), values(expectedDx), "dx sees the rounded gradient");
            assertSameBytes(values(dw), dorefaWeightsGradient(values(dwq), w, 2), "dw sees the rounded gradient");
            if (bias !== undefined) {
              const rows = tf.tensor2d(arriving, [
                arriving.length / (bias.shape[0] as number),
                bias.shape[0] as number,
              ]);
              const off = tf.max(tf.abs(tf.sub(db, tf.sum(rows, 0)))).dataSync()[0];
              assert.ok(off <= 1e-5, `the bias sees the gradient that arrives, off by ${off}`);
            }
            assertSameBytes(values(layer.apply(x) as tf.Tensor), values(y), "output");
          });
        }
      });
    }
  }

  it("counts calls in training, not others", async () => {
    await go("cpu");
    const layer = INNER.dense();
    const step = layer.weights.find(({ originalName }) => originalName.endsWith("step"));
    const x = tf.ones([1, 10]);
    layer.apply(x, { training: true });
    layer.apply(x, { training: true });
    layer.apply(x);
    assert.equal(step?.read().dataSync()[0], 2);
    assert.equal(layer.trainableWeights.length, 2);
  });

  it("weights that are not finite are an error that names the layer", async () => {
    await go("cpu");
    const layer = INNER.dense();
    layer.weights[0].write(tf.fill([10, 6], Number.NaN));
    assert.throws(() => layer.apply(tf.ones([1, 10])), {
      name: "QuantError",
      code: "non-finite",
      message: 'DoReFaQuantizer: weights of "inner": expected finite values, got NaN at index 0',
    });
  });
});
