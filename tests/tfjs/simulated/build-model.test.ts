import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { QATQuantizer } from "../../../src/tfjs/qat-quantizer.js";
import { noise } from "../../contracts/geometries.js";
import { randomizeWeights } from "../model-zoo.js";
import { weightsOf } from "../weights-of.js";

// What a tf.LayersModel can do, a simulated one can: fit, fitDataset, callbacks, evaluate, validation.

const SAMPLES = 12;
const BATCH = 4;
const STEPS = SAMPLES / BATCH;

/** A classifier of [6, 6, 2] images, compressed and compiled. */
function simulated(): tf.LayersModel {
  const { layers } = tf;
  const float = tf.sequential({
    layers: [
      layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, padding: "same", inputShape: [6, 6, 2] }),
      layers.batchNormalization({ name: "bn" }),
      layers.reLU({ name: "relu", maxValue: 6 }),
      layers.depthwiseConv2d({ name: "depthwise", kernelSize: 3, activation: "relu" }),
      layers.maxPooling2d({ name: "pool", poolSize: 2 }),
      layers.flatten({ name: "flat" }),
      layers.dense({ name: "fc", units: 3, activation: "softmax" }),
    ],
  });
  randomizeWeights(float);
  const model = new QATQuantizer({ bits: 8, freezeBatchNormStep: 2 * STEPS }).compress(float);
  float.dispose();
  model.compile({ optimizer: tf.train.sgd(0.05), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
  return model;
}

const images = (): tf.Tensor => tf.tensor(noise(SAMPLES * 72, 1), [SAMPLES, 6, 6, 2]);
const labels = (): tf.Tensor =>
  tf.oneHot(
    tf.tensor1d(
      Array.from({ length: SAMPLES }, (_, i) => i % 3),
      "int32",
    ),
    3,
  );
const fitArguments = { batchSize: BATCH, shuffle: false, verbose: 0 } as const;

/** The values of the variables of one name, all layers'. */
const variables = (model: tf.LayersModel, name: string): number[] =>
  [...weightsOf(model)].filter(([key]) => key.endsWith(`/${name}`)).map(([, [value]]) => value);

async function goTo(backend: string): Promise<void> {
  setThreadsCount(1);
  assert.ok(await tf.setBackend(backend));
}

for (const backend of ["cpu", "wasm"]) {
  describe(`a simulated model on ${backend}`, () => {
    it("fit with validation data and callbacks: the loss falls, and validation is no training step", async () => {
      await goTo(backend);
      const model = simulated();
      const [x, y] = [images(), labels()];
      const seen: string[] = [];
      const { history } = await model.fit(x, y, {
        ...fitArguments,
        epochs: 6,
        validationData: [x, y],
        callbacks: {
          onBatchEnd: (batch) => void seen.push(`batch ${batch}`),
          onEpochEnd: (epoch, logs) =>
            void seen.push(
              `epoch ${epoch} ${Object.keys(logs ?? {})
                .sort()
                .join(" ")}`,
            ),
        },
      });
      const epochs = Array.from({ length: 6 }, (_, i) => [
        ...Array.from({ length: STEPS }, (_, batch) => `batch ${batch}`),
        `epoch ${i} acc loss val_acc val_loss`,
      ]);
      assert.deepEqual(seen, epochs.flat());
      const losses = history.loss as number[];
      assert.ok(losses[5] < losses[0], `losses ${losses}`);
      for (const name of ["step", "calls", "observed"]) {
        const counts = variables(model, name);
        assert.deepEqual(
          counts,
          counts.map(() => 6 * STEPS),
          name,
        );
        assert.ok(counts.length > 0, name);
      }
    });

    it("a callback ends training", async () => {
      await goTo(backend);
      const model = simulated();
      const monitor = tf.callbacks.earlyStopping({ monitor: "loss", patience: 0, minDelta: 1e9 });
      const { epoch } = await model.fit(images(), labels(), { ...fitArguments, epochs: 9, callbacks: monitor });
      assert.deepEqual(epoch, [0, 1]);
    });

    it("evaluate gives loss and metric of what predict computes, and changes nothing", async () => {
      await goTo(backend);
      const model = simulated();
      const [x, y] = [images(), labels()];
      await model.fit(x, y, fitArguments);
      const before = weightsOf(model);
      const [loss, accuracy] = (model.evaluate(x, y, { batchSize: 5 }) as tf.Scalar[]).map((one) => one.dataSync()[0]);
      const output = model.predict(x) as tf.Tensor;
      const expectedLoss = tf.mean(tf.metrics.categoricalCrossentropy(y, output)).dataSync()[0];
      const expectedAccuracy = tf.mean(tf.metrics.categoricalAccuracy(y, output)).dataSync()[0];
      assert.ok(Math.abs(loss - expectedLoss) <= 1e-5 * expectedLoss, `${loss}, not ${expectedLoss}`);
      assert.ok(Math.abs(accuracy - expectedAccuracy) <= 1e-6, `${accuracy}, not ${expectedAccuracy}`);
      assert.deepEqual(weightsOf(model), before);
    });

    it("fitDataset and evaluateDataset: as fit and evaluate on the same batches, bit for bit", async () => {
      await goTo(backend);
      const [x, y] = [images(), labels()];
      const [one, other] = [simulated(), simulated()];
      await one.fit(x, y, { ...fitArguments, epochs: 2 });
      const batches = Array.from({ length: STEPS }, (_, i) => ({
        xs: x.slice(i * BATCH, BATCH),
        ys: y.slice(i * BATCH, BATCH),
      }));
      const dataset = tf.data.array(batches);
      await other.fitDataset(dataset, { epochs: 2, verbose: 0 });
      const [weights, expected] = [other, one].map((model) => [...weightsOf(model).values()]);
      assert.deepEqual(weights, expected);
      const evaluated = await other.evaluateDataset(dataset, {});
      const [loss] = (evaluated as tf.Scalar[]).map((scalar) => scalar.dataSync()[0]);
      const [expectedLoss] = (one.evaluate(x, y, { batchSize: BATCH }) as tf.Scalar[]).map((v) => v.dataSync()[0]);
      assert.ok(Math.abs(loss - expectedLoss) <= 1e-5 * expectedLoss, `${loss}, not ${expectedLoss}`);
    });

    it("an epoch leaves no tensor behind, before the freeze and after it; dispose leaves none at all", async () => {
      await goTo(backend);
      const [x, y] = [images(), labels()];
      const before = { ...tf.memory() };
      const model = simulated();
      const memory: { numTensors: number; numBytes: number; numDataBuffers: number; ids: number }[] = [];
      await model.fit(x, y, {
        ...fitArguments,
        epochs: 5,
        validationData: [x, y],
        callbacks: {
          onEpochEnd: () => {
            const { numTensors, numBytes, numDataBuffers } = tf.memory();
            memory.push({ numTensors, numBytes, numDataBuffers, ids: tf.backend().numDataIds() });
          },
        },
      });
      assert.equal(memory.length, 5);
      for (const [epoch, now] of memory.entries()) assert.deepEqual(now, memory[0], `after epoch ${epoch}`);
      model.dispose();
      model.optimizer.dispose();
      assert.equal(tf.memory().numTensors, before.numTensors);
    });
  });
}
