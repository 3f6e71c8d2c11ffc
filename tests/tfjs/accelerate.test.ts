import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { accelerate } from "../../src/tfjs/accelerate.js";
import { largestDifference, reload, trainingGradients } from "./model-checks.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

/** Models whose gradients stock tfjs itself cannot compute, and why. */
const WITHOUT_GRADIENTS: Readonly<Record<string, string>> = {
  "batch norm over another axis": "stock batch norm fails in training on axis 1",
};

before(() => tf.setBackend("cpu"));

describe("accelerate", () => {
  for (const [name, make] of Object.entries(MODELS)) {
    it(`${name}: equal outputs, a gradient for every trainable weight, the same after save and load`, async () => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const expected = [model.predict(inputs)].flat();
      const tensors = tf.memory().numTensors;
      const fast = accelerate(model);
      assert.equal(tf.memory().numTensors - tensors, fast.weights.length, "nothing but the model's variables");
      const outputs = [fast.predict(inputs)].flat();
      assert.ok(largestDifference(outputs, expected) <= 1e-5);

      if (WITHOUT_GRADIENTS[name] === undefined) {
        assert.deepEqual(trainingGradients(fast, inputs).missing, []);
      }
      const loaded = await reload(fast);
      const [again, now] = [loaded, fast].map((one) => [one.predict(inputs)].flat());
      assert.equal(largestDifference(again, now), 0);
    });
  }
});
