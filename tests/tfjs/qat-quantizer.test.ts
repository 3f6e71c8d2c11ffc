import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { largestDifference, reload, trainingGradients } from "./model-checks.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

/** Models whose gradients stock tfjs itself cannot compute, and why. */
const WITHOUT_GRADIENTS: Readonly<Record<string, string>> = {
  "batch norm over another axis": "stock batch norm fails in training on axis 1",
};

/** Models in which no layer can be quantized. */
const NOTHING_TO_QUANTIZE = ["merge of different ranks", "channels first"];

describe("QATQuantizer.compress", () => {
  for (const [name, make] of Object.entries(MODELS)) {
    it(`${name}: at 16 bits the float model to 1e-3, a gradient for every weight, the same after save and load`, async () => {
      const model = make();
      randomizeWeights(model);
      if (NOTHING_TO_QUANTIZE.includes(name)) {
        assert.throws(() => new QATQuantizer().compress(model), {
          name: "QuantError",
          code: "invalid-model",
          message: `QATQuantizer.compress: expected a model with layers to quantize, got none in "${model.name}"`,
        });
        return;
      }
      const inputs = sampleInputs(model);
      const expected = [model.predict(inputs)].flat();
      const weights = model.getWeights().map((weight) => weight.dataSync().slice());
      const simulated = new QATQuantizer({ bits: 16 }).compress(model);
      await calibrate(simulated, inputs);
      const outputs = [simulated.predict(inputs)].flat();
      assert.ok(largestDifference(outputs, expected) <= 1e-3);
      const loaded = await reload(simulated);
      assert.equal(largestDifference([loaded.predict(inputs)].flat(), outputs), 0);
      if (WITHOUT_GRADIENTS[name] === undefined) {
        assert.deepEqual(trainingGradients(simulated, inputs).missing, []);
      }
      assert.deepEqual(
        model.getWeights().map((weight) => weight.dataSync().slice()),
        weights,
        "the given model is untouched",
      );
    });
  }

  it("evaluation before any data is an error that says what to do", () => {
    const x = tf.input({ shape: [4], name: "features" });
    const fc = tf.layers.dense({ name: "fc", units: 3 });
    const simulated = new QATQuantizer().compress(tf.model({ inputs: x, outputs: fc.apply(x) as tf.SymbolicTensor }));
    assert.throws(() => simulated.predict(tf.ones([1, 4])), {
      name: "QuantError",
      code: "not-calibrated",
      message:
        'QATQuantizer: expected "features" to have seen data, got none; train the model with fit(), or run calibrate() with at least one sample',
    });
  });
});
