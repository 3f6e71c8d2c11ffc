import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { readTflite } from "../../src/formats/tflite/read-tflite.js";
import { writeTflite } from "../../src/formats/tflite/write-tflite.js";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { convert } from "../../src/tfjs/convert.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { reload } from "./model-checks.js";
import { CONVERTIBLE, MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

/** A model of the zoo, compressed and calibrated. */
async function calibrated(
  name: string,
  options: ConstructorParameters<typeof QATQuantizer>[0] = {},
): Promise<tf.LayersModel> {
  const model = MODELS[name]();
  randomizeWeights(model);
  const simulated = new QATQuantizer(options).compress(model);
  await calibrate(simulated, sampleInputs(model));
  return simulated;
}

const opsOf = ({ nodes }: QuantizedGraph): string[] => nodes.map(({ op, output }) => `${op} ${output}`);

describe("convert", () => {
  it("gives what the model computes, in integers, under its names", async () => {
    const found = await convert(await calibrated("squeeze and excitation"));
    assert.deepEqual([found.inputs, found.outputs], [["image"], ["relu"]]);
    assert.deepEqual(opsOf(found), [
      "quantize image/int8",
      "mean gap",
      "fullyConnected reduce",
      "fullyConnected expand/linear",
      "logistic expand",
      "reshape gate",
      "multiply relu/int8",
      "dequantize relu",
    ]);
  });

  it("int8 at the borders", async () => {
    const found = await convert(await calibrated("sequential"), { io: "int8" });
    assert.deepEqual(opsOf(found), [
      "conv2d conv",
      "maxPool2d pool",
      "reshape flat",
      "fullyConnected dense/linear",
      "softmax dense",
    ]);
    assert.deepEqual([found.inputs, found.outputs], [["conv_input"], ["dense"]]);
    assert.deepEqual(found.tensors.dense, { dtype: "int8", shape: [1, 5], scale: 1 / 256, zeroPoint: -128 });
  });

  it("weights of up to 4 bits are int4, and activations below 8 lie at the top of int8", async () => {
    const found = await convert(await calibrated("sequential", { weightBits: 4, activationBits: 3 }));
    const weighted = found.nodes.filter((node) => "weights" in node);
    assert.deepEqual(
      weighted.map(({ weightBits }) => weightBits),
      [4, 4],
    );
    for (const { weights } of weighted) assert.deepEqual([Math.min(...weights), Math.max(...weights)], [-7, 7]);
    const { conv } = found.tensors;
    assert.ok(conv.dtype === "int8");
    assert.deepEqual([conv.zeroPoint, conv.qmin], [120, 120], "a relu's lowest code");
  });

  it("is a function of the model alone: the same from a model that was saved and loaded", async () => {
    for (const name of ["residual", "shared convolution and batch norm", "nested model used twice"]) {
      const model = await calibrated(name);
      assert.deepEqual(await convert(await reload(model)), await convert(model), name);
    }
  });

  it("leaves the model as it was, and nothing on the backend", async () => {
    const model = await calibrated("batch norm after activation");
    const weights = () => model.weights.map((variable) => Array.from(variable.read().dataSync()));
    const [before, tensors] = [weights(), tf.memory().numTensors];
    await convert(model);
    assert.equal(tf.memory().numTensors, tensors);
    assert.deepEqual(weights(), before);
  });

  it("a .tflite file holds all of it", async () => {
    for (const name of CONVERTIBLE) {
      for (const options of [{}, { bits: 4 }]) {
        const integers = await convert(await calibrated(name, options));
        assert.deepEqual(readTflite(writeTflite(integers)), integers, name);
      }
    }
  });

  it("refuses unknown options", async () => {
    const model = await calibrated("sequential");
    await assert.rejects(convert(model, { io: "uint8" as never }), {
      name: "TypeError",
      message: 'convert: expected io float32 or int8, got "uint8"',
    });
    await assert.rejects(convert(model, { bits: 4 } as never), {
      name: "TypeError",
      message: 'convert: expected options among io, firstLast, onDifference, got "bits"',
    });
  });

  it("refuses models without quantizers, and activations that have seen no data, all at once", async () => {
    await assert.rejects(convert(MODELS.residual()), {
      code: "invalid-model",
      message:
        "convert: expected a model with quantized activations, made by QATQuantizer.compress or DoReFaQuantizer.compress, got one without",
    });
    await assert.rejects(convert(new QATQuantizer().compress(MODELS.sequential())), {
      code: "not-calibrated",
      message:
        'convert: expected every activation to have seen data, got none for "conv_input", "conv", "dense/linear"; train the model with fit(), or run calibrate() with at least one sample',
    });
  });

  it("names every layer and edge in the way", async () => {
    await assert.rejects(
      calibrated("recurrent and wrapped layers").then((model) => convert(model)),
      {
        code: "unsupported",
        message:
          'convert: expected a network that int8 can compute, got "bi" (Bidirectional), which stays float: class Bidirectional; "each" (TimeDistributed), which stays float: class TimeDistributed; "gru" (GRU), which stays float: class GRU; replace these layers or cut the model before them, give edges a quantizer, and everything at most 8 bits and fixed sizes',
      },
    );
    await assert.rejects(
      calibrated("batch norm behind dense", { weightBits: 8, activationBits: 16 }).then((model) => convert(model)),
      {
        code: "unsupported",
        message:
          'convert: expected a network that int8 can compute, got input "image" with 16 bits; what "fc1" (Dense) gives ("relu") with 16 bits; what "fc2" (Dense) gives ("fc2") with 16 bits; replace these layers or cut the model before them, give edges a quantizer, and everything at most 8 bits and fixed sizes',
      },
    );
  });

  it("a config list that leaves edges out: each is named", async () => {
    const list = [{ op_types: ["Dense"], quant_types: ["weight", "output"], quant_bits: 8 }];
    const model = await calibrated("batch norm behind dense", list as never);
    await assert.rejects(convert(model), {
      code: "unsupported",
      message:
        'convert: expected a network that int8 can compute, got input "image" without a quantizer; replace these layers or cut the model before them, give edges a quantizer, and everything at most 8 bits and fixed sizes',
    });
  });
});
