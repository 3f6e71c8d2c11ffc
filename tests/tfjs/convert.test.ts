import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import type { QuantError } from "../../src/core/errors.js";
import { readTflite } from "../../src/formats/tflite/read-tflite.js";
import { writeTflite } from "../../src/formats/tflite/write-tflite.js";
import type { CodeDifference } from "../../src/graph/lower/dorefa-layer.js";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { type ConvertOptions, convert } from "../../src/tfjs/convert.js";
import { DoReFaQuantizer } from "../../src/tfjs/dorefa-quantizer.js";
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

describe("convert: models of DoReFa's", () => {
  type Config = ConstructorParameters<typeof DoReFaQuantizer>;
  const EVERYTHING: ConfigList = [{ op_types: ["default"], quant_types: ["weight", "input"], quant_bits: 3 }];

  /** A model of the zoo, compressed and calibrated. */
  async function dorefa(name: string, ...config: Config): Promise<tf.LayersModel> {
    const model = MODELS[name]();
    randomizeWeights(model);
    const simulated = new DoReFaQuantizer(...config).compress(model);
    await calibrate(simulated, sampleInputs(model));
    return simulated;
  }

  it("a .tflite file holds all of every model of the zoo; the same comes from one that was saved and loaded", async () => {
    for (const name of CONVERTIBLE) {
      // Nothing has weights to round.
      if (name === "batch norm without convolution") continue;
      const simulated = await dorefa(name, EVERYTHING, { gradientBits: 4 });
      const integers = await convert(simulated);
      assert.deepEqual(readTflite(writeTflite(integers)), integers, name);
      assert.deepEqual(await convert(await reload(simulated)), integers, name);
    }
  });

  it("layers between the first and the last in 1 and 2 bits, those in 8", async () => {
    const found = await convert(await dorefa("nested model used twice", { weightBits: 1, activationBits: 2 }));
    const layers = found.nodes.flatMap((node) => ("weights" in node ? [node] : []));
    assert.deepEqual(
      layers.map(({ output, weights, activation }) => [output, new Set(weights.map(Math.abs)).size === 1, activation]),
      [
        ["block/relu", false, "relu"],
        ["block/out", true, "linear"],
        ["block/relu.2", false, "relu"],
        ["block/out.2", true, "linear"],
        ["last/int8", false, "linear"],
      ],
    );
    const clip = { scale: Math.fround(1 / 3), zeroPoint: 124, qmin: 124 };
    assert.deepEqual(found.tensors["block/relu"], { dtype: "int8", shape: [1, 8, 8, 3], ...clip });
  });

  it("tells channels that differ, with their layer", async () => {
    const { layers } = tf;
    const model = tf.sequential({
      layers: [
        layers.dense({ name: "first", units: 8, inputShape: [4] }),
        layers.dense({ name: "hidden", units: 16, useBias: false }),
        layers.batchNormalization({ name: "bn" }),
        layers.dense({ name: "hidden2", units: 16, activation: "relu" }),
        layers.dense({ name: "last", units: 2 }),
      ],
    });
    randomizeWeights(model);
    const simulated = new DoReFaQuantizer({ weightBits: 7, activationBits: 8 }).compress(model);
    await calibrate(simulated, sampleInputs(model));
    const found: CodeDifference[] = [];
    await convert(simulated, { onDifference: (difference) => found.push(difference) });
    assert.ok(found.length > 0);
    for (const difference of found) {
      assert.equal(difference.layer, "hidden", "what hidden2 gives is only observed");
      assert.ok(difference.channel >= 0 && difference.channel < 16);
      assert.ok("different" in difference && difference.different > 0 && difference.largest === 1);
      assert.ok(difference.different < 0.01 * difference.accumulators);
    }
  });

  it("firstLast float refuses, naming the layers; activations and weights of more than 8 bits", async () => {
    const refused = async (config: Config, options: ConvertOptions): Promise<unknown> => {
      const simulated = await dorefa("residual of two branches with weights", ...config);
      const error: QuantError = await convert(simulated, options).then(
        () => assert.fail("refused"),
        (reason) => reason,
      );
      assert.equal(error.code, "unsupported");
      return error.details.obstacles;
    };
    assert.deepEqual(await refused([{ weightBits: 1, activationBits: 2 }], { firstLast: "float" }), [
      '"a1" (Conv2D) with float weights',
      '"b" (Conv2D) with float weights',
      '"last" (Conv2D) with float weights',
    ]);
    assert.deepEqual(await refused([{ weightBits: 9, activationBits: 10 }], {}), [
      '"a2" (Conv2D) with weights of 9 bits',
      'what "a1" (Conv2D) gives ("a1_relu") with 10 bits',
    ]);
  });

  it("ranges that training has not observed yet are named", async () => {
    const simulated = new DoReFaQuantizer({ bits: 4 }).compress(MODELS["residual of two branches with weights"]());
    await assert.rejects(convert(simulated), {
      code: "not-calibrated",
      message:
        'convert: expected every activation to have seen data, got none for "image", "a2_bn", "b_bn", "relu", "last"; train the model with fit(), or run calibrate() with at least one sample',
    });
  });

  it("refuses unknown values of its options", async () => {
    const simulated = await dorefa("nested model used twice", { bits: 4 });
    await assert.rejects(convert(simulated, { firstLast: "int4" as never }), {
      name: "TypeError",
      message: 'convert: expected firstLast int8 or float, got "int4"',
    });
    await assert.rejects(convert(simulated, { onDifference: true as never }), {
      name: "TypeError",
      message: "convert: expected onDifference to be a function, got boolean",
    });
  });
});
