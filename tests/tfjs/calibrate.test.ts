import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { minMaxObserver } from "../../src/observers/min-max-observer.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { EdgeLayer } from "../../src/tfjs/simulated/edge-layer.js";
import { MODELS, randomizeWeights } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

function residual(): { model: tf.LayersModel; simulated: tf.LayersModel; x: tf.Tensor } {
  const model = MODELS.residual();
  randomizeWeights(model);
  const shape = model.inputs[0].shape.slice(1) as number[];
  return {
    model,
    simulated: new QATQuantizer().compress(model),
    x: tf.randomNormal([10, ...shape], 0, 1, "float32", 5),
  };
}

const edges = (model: tf.LayersModel): EdgeLayer[] => model.layers.filter((layer) => layer instanceof EdgeLayer);
const ranges = (model: tf.LayersModel) => Promise.all(edges(model).map((edge) => edge.range()));

describe("calibrate", () => {
  it("minMax: the range of what the float model computes, in batches of any size", async () => {
    const { model, simulated, x } = residual();
    const seen: number[] = [];
    await calibrate(simulated, x, { batchSize: 4, onBatch: (samples) => seen.push(samples) });
    assert.deepEqual(seen, [4, 8, 10]);
    const [input] = edges(simulated);
    const observer = minMaxObserver();
    observer.observe(x.dataSync<"float32">());
    const { min, max } = observer.range({ bits: 8 });
    assert.deepEqual(await input.range(), { min, max });
    const last = edges(simulated).at(-1) as EdgeLayer;
    const output = (model.predict(x) as tf.Tensor).dataSync();
    const range = await last.range();
    assert.ok(Math.abs((range?.max ?? 0) - Math.max(0, ...output)) < 1e-5);
  });

  it("two halves, merged, are the whole: minMax, percentile and mse", async () => {
    for (const observer of ["minMax", "percentile", "mse"] as const) {
      const { simulated, x } = residual();
      const whole = await calibrate(simulated, x, { observer, batchSize: 5 });
      const expected = await ranges(simulated);
      const halves = tf.split(x, 2);
      const first = await calibrate(simulated, halves[0], { observer });
      const both = await calibrate(simulated, halves[1], { observer, merge: [first] });
      assert.deepEqual(both, whole);
      assert.deepEqual(JSON.parse(JSON.stringify(both)), both, "plain data");
      assert.deepEqual(await ranges(simulated), expected);
    }
  });

  it("takes sequences of batches, also asynchronous ones, and leaves no tensor behind", async () => {
    const { simulated, x } = residual();
    await calibrate(simulated, x);
    const expected = await ranges(simulated);
    const halves = tf.split(x, 2);
    const tensors = tf.memory().numTensors;
    await calibrate(simulated, halves);
    assert.deepEqual(await ranges(simulated), expected);
    async function* stream() {
      for (const half of halves) yield await Promise.resolve([half]);
    }
    await calibrate(simulated, stream());
    assert.deepEqual(await ranges(simulated), expected);
    assert.equal(tf.memory().numTensors, tensors);
  });

  it("counts as no training step: a later fit goes on from the ranges", async () => {
    const { simulated, x } = residual();
    await calibrate(simulated, x);
    const before = await ranges(simulated);
    tf.dispose(simulated.apply(tf.mul(x, 2), { training: true }) as tf.Tensor);
    const after = await ranges(simulated);
    assert.ok(
      Math.abs((after[0]?.max ?? 0) - (before[0]?.max ?? 0) * 1.01) < 1e-4,
      "one hundredth towards twice the range",
    );
  });

  it("errors, and no range is set then", async () => {
    const { model, simulated, x } = residual();
    await assert.rejects(calibrate(model, x), {
      code: "invalid-model",
      message: "calibrate: expected a model with quantized activations, made by QATQuantizer.compress, got one without",
    });
    await assert.rejects(calibrate(simulated, []), {
      code: "not-calibrated",
      message: "calibrate: expected at least one sample, got none",
    });
    await assert.rejects(calibrate(simulated, 3 as unknown as tf.Tensor), {
      name: "TypeError",
      message: "calibrate: expected tensors or a sequence of batches, got 3",
    });
    await assert.rejects(calibrate(simulated, x, { observer: "max" as "mse" }), {
      name: "TypeError",
      message: 'calibrate: expected observer minMax, movingAverage, percentile or mse, got "max"',
    });
    await assert.rejects(calibrate(simulated, x, { batchSize: 0 }), {
      name: "RangeError",
      message: "calibrate: expected an integer batchSize ≥ 1, got 0",
    });
    await assert.rejects(calibrate(simulated, tf.mul(x, Number.NaN)), {
      code: "non-finite",
      message: `calibrate: "${simulated.inputs[0].sourceLayer.name}": expected finite values, got NaN at index 0`,
    });
    assert.deepEqual(new Set(await ranges(simulated)), new Set([undefined]));
  });
});
