import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { isQuantized } from "../../src/core/tensor.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { DoReFaQuantizer } from "../../src/tfjs/dorefa-quantizer.js";
import { exportModel } from "../../src/tfjs/export-model.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { largestDifference } from "./model-checks.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

const QUANTIZABLE = Object.entries(MODELS).filter(
  ([name]) => name !== "merge of different ranks" && name !== "channels first",
);

describe("exportModel", () => {
  for (const [name, make] of QUANTIZABLE) {
    it(`${name}: the folded float model computes what the float model does, codes stand for its weights`, async () => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const simulated = new QATQuantizer().compress(model);
      await calibrate(simulated, inputs);
      const tensors = tf.memory().numTensors;
      const exported = await exportModel(simulated);
      assert.equal(
        tf.memory().numTensors - tensors,
        exported.model.weights.length,
        "nothing but the model's variables",
      );
      const expected = [model.predict(inputs)].flat();
      assert.ok(largestDifference([exported.model.predict(inputs)].flat(), expected) <= 1e-5);
      assert.deepEqual(JSON.parse(JSON.stringify(exported.calibration)), exported.calibration, "plain data");
      for (const tensor of Object.values(exported.weights)) {
        if (!isQuantized(tensor)) continue;
        const { data, shape, params } = tensor;
        assert.ok(Math.max(...dequantize(data, params, { shape }).map(Math.abs)) > 0);
      }
    });
  }

  it("names layers and targets as NNI does, with the ranges that were seen", async () => {
    const x = tf.input({ shape: [2], name: "features" });
    const fc = tf.layers.dense({ name: "fc", units: 2, activation: "relu" });
    const model = tf.model({ inputs: x, outputs: fc.apply(x) as tf.SymbolicTensor });
    fc.setWeights([tf.tensor2d([1.27, 0, 0, -0.635], [2, 2]), tf.tensor1d([0, 0])]);
    const simulated = new QATQuantizer().compress(model);
    await calibrate(simulated, tf.tensor2d([2.55, 1, 0, 2], [2, 2]));
    const { calibration, weights } = await exportModel(simulated);
    const fl = Math.fround;
    assert.deepEqual(Object.keys(calibration), ["fc"]);
    assert.deepEqual(calibration.fc._input_0, {
      scale: [fl(2.55 / 255)],
      zero_point: [-128],
      quant_dtype: "int8",
      quant_scheme: "affine",
      quant_bits: 8,
      qmin: -128,
      qmax: 127,
      tracked_max: [fl(2.55)],
      tracked_min: [0],
    });
    assert.deepEqual(calibration.fc.weight?.scale, [fl(fl(1.27) / 127), fl(fl(0.635) / 127)]);
    assert.deepEqual([...weights["fc/kernel"].data], [127, 0, 0, -127]);
    assert.deepEqual([...weights["fc/bias"].data], [0, 0]);
  });

  it("errors for other models, and before any data", async () => {
    const model = MODELS.residual();
    await assert.rejects(exportModel(model), {
      code: "invalid-model",
      message: "exportModel: expected a model made by QATQuantizer.compress, got one without its layers",
    });
    await assert.rejects(exportModel(new QATQuantizer().compress(model)), { code: "not-calibrated" });
    await assert.rejects(exportModel(new DoReFaQuantizer({ firstLastBits: 2 }).compress(model)), {
      code: "unsupported",
      message: "exportModel: expected a model made by QATQuantizer.compress, got one made by DoReFaQuantizer.compress",
    });
  });
});
