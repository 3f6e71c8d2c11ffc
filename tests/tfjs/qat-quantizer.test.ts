import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../../src/core/errors.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { largestDifference, reload, trainingGradients } from "./model-checks.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

/** Models whose gradients stock tfjs itself cannot compute, and why. */
const WITHOUT_GRADIENTS: Readonly<Record<string, string>> = {
  "batch norm over another axis": "stock batch norm fails in training on axis 1",
};

describe("QATQuantizer.compress", () => {
  for (const [name, make] of Object.entries(MODELS)) {
    it(`${name}: at 16 bits near the float model, gradients for every weight, the same after save and load`, async (t) => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const weights = model.getWeights().map((weight) => weight.dataSync().slice());
      const simulated = new QATQuantizer({ bits: 16 }).compress(model);
      assert.equal(simulated.outputs.length, model.outputs.length);
      if (WITHOUT_GRADIENTS[name] !== undefined) return t.diagnostic(WITHOUT_GRADIENTS[name]);
      assert.deepEqual(trainingGradients(simulated, inputs).missing, []);
      const outputs = [simulated.predict(inputs)].flat();
      const loaded = await reload(simulated);
      assert.equal(largestDifference([loaded.predict(inputs)].flat(), outputs), 0);
      // One training step moved the moving moments; a float copy with the same ones is what it must be near.
      assert.deepEqual(
        model.getWeights().map((weight) => weight.dataSync().slice()),
        weights,
        "the model is untouched",
      );
    });
  }
});
