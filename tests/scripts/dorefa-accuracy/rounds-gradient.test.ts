import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { dorefaGradients } from "bitpress";
import { DoReFaQuantizer } from "bitpress/tfjs";
import { lenet } from "../../../examples/lenet.js";
import { NOISES } from "../../../scripts/dorefa-accuracy/plan.js";
import { RoundsGradient, roundGradient } from "../../../scripts/dorefa-accuracy/rounds-gradient.js";

const BATCH = 3;
const SIZE = 1000;
const rounding = { bits: 4, seed: 5, tensor: 2 };
const gradient = Float32Array.from(
  { length: BATCH * SIZE },
  (_, i) => Math.sin(i * i) * 0.01 * (1 + Math.floor(i / SIZE)),
);

describe("roundGradient", () => {
  it("with noise per element: bit for bit what the library gives", () => {
    assert.deepEqual(
      roundGradient(gradient, BATCH, 7, { ...rounding, noise: "element" }),
      dorefaGradients(gradient, 4, { batch: BATCH, seed: 5, step: 7, tensor: 2 }),
    );
  });

  it("with noise per sample: one threshold for all values of a sample, another for the next", () => {
    // The largest value is on the grid; all others are equal and between two codes.
    const between = new Float32Array(BATCH * SIZE).fill(0.31).map((value, i) => (i % SIZE === 0 ? 1 : value));
    const codes = (noise: "element" | "sample", step: number) => {
      const rounded = roundGradient(between, BATCH, step, { ...rounding, noise });
      const samples = Array.from({ length: BATCH }, (_, s) => rounded.subarray(s * SIZE + 1, (s + 1) * SIZE));
      return samples.map((values) => new Set(values).size);
    };
    const firsts = new Set<number>();
    for (let step = 0; step < 20; step++) {
      assert.deepEqual(codes("sample", step), [1, 1, 1]);
      const rounded = roundGradient(between, BATCH, step, { ...rounding, noise: "sample" });
      firsts.add(new Set([1, SIZE + 1, 2 * SIZE + 1].map((i) => rounded[i])).size);
    }
    assert.deepEqual([...firsts].sort(), [1, 2]);
    assert.deepEqual(codes("element", 0), [2, 2, 2]);
  });

  it("without noise: the nearest code, in every step", () => {
    const [first, second] = [0, 1].map((step) => roundGradient(gradient, BATCH, step, { ...rounding, noise: "none" }));
    assert.deepEqual(first, second);
    gradient.forEach((value, i) => {
      const sample = Math.floor(i / SIZE);
      const m = gradient.subarray(sample * SIZE, (sample + 1) * SIZE).reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      assert.ok(Math.abs(first[i] - value) <= (m / 15) * (1 + 1e-5), `${i}`);
    });
  });

  it("a sample of zeros stays zeros; NaN is an error", () => {
    for (const noise of NOISES) {
      assert.deepEqual(roundGradient(new Float32Array(4), 2, 0, { ...rounding, noise }), new Float32Array(4));
      assert.throws(() => roundGradient(Float32Array.of(Number.NaN), 1, 0, { ...rounding, noise }), {
        name: "RangeError",
        message: "accuracy dorefa: expected finite gradients, got NaN or Infinity",
      });
    }
  });
});

describe("a network with the ablation's layers", () => {
  before(() => tf.setBackend("cpu"));

  it("noise per element: the weights' gradients of the library's own rounding, step for step; without: others", () => {
    const x = tf.randomUniform([2, 28, 28, 1], 0, 1, "float32", 1);
    const y = tf.oneHot(tf.tensor1d([3, 8], "int32"), 10);
    const steps = (model: tf.LayersModel): Float32Array[] => {
      const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const loss = () =>
        tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true }) as tf.Tensor).mean() as tf.Scalar;
      // Gradients by the role of the weight, which the models have in one order.
      return [0, 1].flatMap(() =>
        variables.map((variable) => tf.variableGrads(loss, [variable]).grads[variable.name].dataSync<"float32">()),
      );
    };
    const bits = { weightBits: 1, activationBits: 2, seed: 3 };
    const own = steps(new DoReFaQuantizer({ ...bits, gradientBits: 4 }).compress(lenet(1)));
    const ablated = NOISES.map((noise) => {
      let tensor = 0;
      const model = lenet(1, (layer) => {
        return new RoundsGradient({
          name: `${layer}_gradient`,
          rounding: { bits: 4, noise, seed: 3, tensor: tensor++ },
        });
      });
      return steps(new DoReFaQuantizer({ ...bits, gradientBits: 32 }).compress(model));
    });
    assert.deepEqual(ablated[0], own);
    assert.notDeepEqual(ablated[1], own);
    assert.notDeepEqual(ablated[2], own);
  });
});
