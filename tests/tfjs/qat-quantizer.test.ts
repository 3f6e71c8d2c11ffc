import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { exportModel } from "../../src/tfjs/export-model.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { EdgeLayer } from "../../src/tfjs/simulated/edge-layer.js";
import { WeightedLayer } from "../../src/tfjs/simulated/weighted-layer.js";
import { expectedCodes } from "./expected-codes.js";
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
      const tensors = tf.memory().numTensors;
      const simulated = new QATQuantizer({ bits: 16 }).compress(model);
      assert.equal(tf.memory().numTensors - tensors, simulated.weights.length, "nothing but the model's variables");
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

const { layers } = tf;

/** Convolution, batch norm, relu, max-pool, depthwise convolution, and two dense layers. */
function smallNet(): tf.LayersModel {
  return tf.sequential({
    name: "net",
    layers: [
      layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, inputShape: [8, 8, 3] }),
      layers.batchNormalization({ name: "bn" }),
      layers.reLU({ name: "relu" }),
      layers.maxPooling2d({ name: "pool", poolSize: 2 }),
      layers.depthwiseConv2d({ name: "dw", kernelSize: 3, activation: "relu" }),
      layers.flatten({ name: "flat" }),
      layers.dense({ name: "fc", units: 6, activation: "relu" }),
      layers.dense({ name: "out", units: 3, activation: "softmax" }),
    ],
  });
}

/** What a simulated model rounds, in short: "int4 perChannel symmetric", "uint8 affine from 5" (a step), by layer or value. */
function rounded(model: tf.LayersModel): Record<"weights" | "values", Record<string, string>> {
  const weights: Record<string, string> = {};
  const values: Record<string, string> = {};
  const from = (step: number): string =>
    step === 0 ? "" : step === Number.MAX_SAFE_INTEGER ? ", never" : ` from ${step}`;
  for (const layer of model.layers) {
    if (layer instanceof WeightedLayer && layer.config.node.weightGrid !== undefined) {
      const { bits, signed, granularity, symmetric } = layer.config.node.weightGrid;
      const scheme = symmetric ? "symmetric" : "affine";
      const type = signed ? "int" : "uint";
      weights[layer.name] = `${type}${bits} ${granularity} ${scheme}${from(layer.config.quantStartStep)}`;
    }
    if (layer instanceof EdgeLayer) {
      const { quantizer, value, quantStartStep } = layer.config;
      const scheme = "fixed" in quantizer ? "fixed" : quantizer.symmetric ? "symmetric" : "affine";
      values[value] = `${quantizer.signed ? "int" : "uint"}${quantizer.bits} ${scheme}${from(quantStartStep)}`;
    }
  }
  return { weights, values };
}

const compressed = (...config: ConstructorParameters<typeof QATQuantizer>) =>
  rounded(new QATQuantizer(...config).compress(smallNet()));

describe("QATQuantizer with options", () => {
  it("by default everything that integers need, 8 bits, weights per channel; probabilities only in evaluation", () => {
    const weight = "int8 perChannel symmetric";
    assert.deepEqual(compressed(), {
      weights: { conv: weight, dw: weight, fc: weight, out: weight },
      values: {
        conv_input: "int8 affine",
        relu: "int8 affine",
        dw: "int8 affine",
        fc: "int8 affine",
        "out/linear": "int8 affine",
        out: "int8 fixed, never",
      },
    });
  });

  it("bits of weights and activations, of the first and last layers, symmetric, granularity, granularity of dense layers", () => {
    assert.deepEqual(
      compressed({
        weightBits: 3,
        activationBits: 5,
        firstLastBits: 16,
        symmetric: true,
        denseGranularity: "perTensor",
      }),
      {
        weights: {
          conv: "int16 perChannel symmetric",
          dw: "int3 perChannel symmetric",
          fc: "int3 perTensor symmetric",
          out: "int16 perTensor symmetric",
        },
        values: {
          conv_input: "int16 symmetric",
          relu: "int5 symmetric",
          dw: "int5 symmetric",
          fc: "int5 symmetric",
          "out/linear": "int16 symmetric",
          out: "int16 fixed, never",
        },
      },
    );
    assert.deepEqual(compressed({ bits: 4, granularity: "perTensor", denseGranularity: "perChannel" }).weights, {
      conv: "int4 perTensor symmetric",
      dw: "int4 perTensor symmetric",
      fc: "int4 perChannel symmetric",
      out: "int4 perChannel symmetric",
    });
  });

  it("what they say is what is computed: so many values at most, scales per channel or tensor, zero points", async () => {
    const model = smallNet();
    randomizeWeights(model);
    const x = tf.randomNormal([16, 8, 8, 3], 0, 1, "float32", 3);
    const simulated = new QATQuantizer({
      weightBits: 3,
      activationBits: 4,
      symmetric: true,
      denseGranularity: "perTensor",
    }).compress(model);
    await calibrate(simulated, x);
    const { calibration, weights } = await exportModel(simulated);
    assert.equal(calibration.conv.weight?.scale.length, 4);
    assert.equal(calibration.fc.weight?.scale.length, 1);
    assert.deepEqual([calibration.fc._output_0?.zero_point, calibration.fc._output_0?.quant_bits], [[0], 4]);
    assert.equal(Math.max(...weights["fc/kernel"].data.map(Math.abs)), 3, "narrow: codes −3…3 of 3 bits");
    const inner = tf.model({
      inputs: simulated.inputs,
      outputs: simulated.getLayer("fc/quantized").output as tf.SymbolicTensor,
    });
    const values = new Set((inner.predict(x) as tf.Tensor).dataSync());
    // A relu's values: codes 0 to 7 of the symmetric grid.
    assert.ok(values.size > 4 && values.size <= 8, `${values.size} values`);
  });
});

describe("QATQuantizer with a config list", () => {
  it("rounds exactly the targets named, of the layers selected, with bits per target", () => {
    assert.deepEqual(compressed([{ op_types: ["Dense"], quant_types: ["weight"], quant_bits: 4 }]), {
      weights: { fc: "int4 perChannel symmetric", out: "int4 perChannel symmetric" },
      values: {},
    });
    assert.deepEqual(
      compressed([
        { op_names: ["fc"], quant_types: ["weight", "input"], quant_bits: { weight: 3, input: 6 } },
        { op_types: ["ReLU"], quant_types: ["output"], quant_bits: 5 },
      ]),
      // What enters fc through flatten is rounded where it leaves the depthwise convolution.
      { weights: { fc: "int3 perChannel symmetric" }, values: { relu: "int5 affine", dw: "int6 affine" } },
    );
  });

  it("the last entry that matches wins whole; excluded layers stay float", () => {
    assert.deepEqual(
      compressed([
        { op_types: ["default"], quant_types: ["weight", "output"], quant_bits: 8 },
        { op_names: ["out"], exclude: true },
        { op_names: ["dw"], quant_types: ["weight"], quant_bits: 2 },
      ]),
      {
        weights: {
          conv: "int8 perChannel symmetric",
          dw: "int2 perChannel symmetric",
          fc: "int8 perChannel symmetric",
        },
        values: { relu: "int8 affine", fc: "int8 affine" },
      },
    );
  });

  it("each entry has its own start, beside the schedule's", () => {
    assert.deepEqual(
      compressed(
        [
          { op_names: ["conv"], quant_types: ["weight", "input"], quant_bits: 8, quant_start_step: 7 },
          { op_names: ["fc"], quant_types: ["weight", "output"], quant_bits: 8 },
        ],
        { quantStartStep: 2 },
      ),
      {
        weights: { conv: "int8 perChannel symmetric from 7", fc: "int8 perChannel symmetric from 2" },
        values: { conv_input: "int8 affine from 7", fc: "int8 affine from 2" },
      },
    );
  });

  it("from its start on, and not before, an entry rounds in training", () => {
    const x = tf.input({ shape: [4], name: "x" });
    const [first, second] = ["first", "second"].map((name) => layers.dense({ name, units: 4 }));
    const model = tf.model({ inputs: x, outputs: second.apply(first.apply(x)) as tf.SymbolicTensor });
    randomizeWeights(model);
    const entry = { quant_types: ["weight"], quant_bits: 2 } as const;
    const simulated = new QATQuantizer([
      { op_names: ["first"], ...entry, quant_start_step: 1 },
      { op_names: ["second"], ...entry, quant_start_step: 2 },
    ]).compress(model);
    const only = (name: string) => new QATQuantizer([{ op_names: [name], ...entry }]).compress(model);
    const both = new QATQuantizer([{ op_types: ["Dense"], ...entry }]).compress(model);
    const batch = tf.randomNormal([8, 4], 0, 1, "float32", 5);
    for (const expected of [model, only("first"), both]) {
      const step = simulated.apply(batch, { training: true }) as tf.Tensor;
      assert.equal(largestDifference([step], [expected.predict(batch) as tf.Tensor]), 0);
    }
  });

  it("schemes and types per entry", () => {
    assert.deepEqual(
      compressed([
        {
          op_names: ["conv", "fc"],
          quant_types: ["weight", "output"],
          quant_bits: 8,
          quant_dtype: "uint",
          quant_scheme: { weight: "per_tensor_affine", output: "per_tensor_symmetric" },
        },
        { op_names: ["out"], target_names: ["weight", "_input_"], quant_dtype: "int4", granularity: "out_channel" },
      ]),
      {
        weights: { conv: "uint8 perTensor affine", fc: "uint8 perTensor affine", out: "int4 perChannel symmetric" },
        values: { relu: "uint8 symmetric", fc: "int4 affine" },
      },
    );
  });

  it("'output' is what leaves a layer with what was fused into it, 'input' what enters it, the inside goes with the output", () => {
    const of = (name: string, target: "input" | "output") =>
      compressed([{ op_names: [name], quant_types: [target], quant_bits: 6 }]).values;
    assert.deepEqual(of("conv", "output"), { relu: "int6 affine" });
    assert.deepEqual(of("bn", "output"), { relu: "int6 affine" });
    assert.deepEqual(of("pool", "output"), { relu: "int6 affine" });
    assert.deepEqual(of("out", "output"), { "out/linear": "int6 affine", out: "int6 fixed, never" });
    assert.deepEqual(of("out", "input"), { fc: "int6 affine" });
  });

  it("both halves of a separable convolution", () => {
    const model = tf.sequential({
      layers: [layers.separableConv2d({ name: "sep", filters: 4, kernelSize: 3, inputShape: [8, 8, 3] })],
    });
    const of = (target: "weight" | "input" | "output") =>
      rounded(new QATQuantizer([{ op_types: ["Conv2d"], quant_types: [target], quant_bits: 6 }]).compress(model));
    const weight = "int6 perChannel symmetric";
    assert.deepEqual(of("weight"), { weights: { "sep/depthwise": weight, sep: weight }, values: {} });
    assert.deepEqual(of("input").values, { sep_input: "int6 affine", "sep/depthwise": "int6 affine" });
    assert.deepEqual(of("output").values, { "sep/depthwise": "int6 affine", sep: "int6 affine" });
  });

  it("misspelt words: errors with the entry, the key and the choices", () => {
    const fails = (list: object[], message: string) => {
      assert.throws(() => compressed(list as ConfigList), { name: "QuantError", code: "invalid-config", message });
    };
    const entry = { op_names: ["conv"], quant_types: ["weight"], quant_bits: 8 };
    fails(
      [{ ...entry, op_names: ["conv1"] }],
      'QATQuantizer.compress: config entry 0, "op_names": expected names of layers ("conv", "bn", "pool", "out", "relu", "dw", … 2 more), got "conv1"',
    );
    fails(
      [
        { ...entry, op_names: ["conv"] },
        { ...entry, op_types: ["Cov2D"] },
      ],
      'QATQuantizer.compress: config entry 1, "op_types": expected types of layers ("Conv2D", "Conv2d", "Conv1d", "Conv1D", "Conv3d", "Conv3D", … 75 more), got "Cov2D"',
    );
    fails(
      [{ ...entry, quant_types: ["weights"] }],
      'QATQuantizer: config entry 0, "quant_types": expected words among "weight", "input", "output", got "weights"',
    );
    fails(
      [{ ...entry, quant_bits: 1 }],
      'QATQuantizer: config entry 0, "quant_bits": expected an integer in 2…16, got 1',
    );
  });

  it("a list that selects nothing that can be rounded: an error", () => {
    for (const selection of [{ op_types: ["LSTM"] }, { op_names: ["bn"] }]) {
      assert.throws(() => compressed([{ ...selection, quant_types: ["weight"], quant_bits: 8 }]), {
        name: "QuantError",
        code: "invalid-config",
        message:
          'QATQuantizer.compress: expected config entries that select a weight, input or output to quantize, got none in "net"',
      });
    }
  });
});

describe("QATQuantizer.report", () => {
  it("before compress: an error", () => {
    assert.throws(() => new QATQuantizer().report(), {
      name: "QuantError",
      code: "invalid-model",
      message: "QATQuantizer.report: expected a compressed model, got none; call compress first",
    });
  });

  it("bytes and SQNR of every tensor, batch norms in the biases", () => {
    const model = smallNet();
    randomizeWeights(model);
    const quantizer = new QATQuantizer([
      { op_types: ["Conv2d"], quant_types: ["weight"], quant_bits: 8 },
      { op_names: ["fc"], quant_types: ["weight"], quant_bits: 4 },
    ]);
    quantizer.compress(model);
    const { tensors, bytesBefore, bytesAfter, float } = quantizer.report();
    assert.deepEqual(
      tensors.map(({ name, shape, bits, bytesBefore: before, bytesAfter: after }) => [
        name,
        shape,
        bits,
        before,
        after,
      ]),
      [
        // One byte per weight, four per scale; of 4 bits half a byte.
        ["conv/kernel", [3, 3, 3, 4], 8, 432, 108 + 16],
        // The bias and the four vectors of the batch norm.
        ["conv/bias", [4], 32, 80, 16],
        ["dw/depthwise_kernel", [3, 3, 4, 1], 8, 144, 36 + 16],
        ["dw/bias", [4], 32, 16, 16],
        ["fc/kernel", [4, 6], 4, 96, 12 + 24],
        ["fc/bias", [6], 32, 24, 24],
        ["out/kernel", [6, 3], 32, 72, 72],
        ["out/bias", [3], 32, 12, 12],
      ],
    );
    assert.deepEqual([bytesBefore, bytesAfter], [876, 352]);
    assert.deepEqual(float, []);

    const kernel = model.getLayer("fc").getWeights()[0].dataSync<"float32">();
    const { values } = expectedCodes(kernel, [4, 6], 1, 4);
    const power = (numbers: Iterable<number>): number => [...numbers].reduce((sum, v) => sum + v * v, 0);
    const noise = power(kernel.map((v, i) => v - values[i]));
    const found = tensors.find(({ name }) => name === "fc/kernel")?.sqnr as number;
    assert.ok(Math.abs(found - 10 * Math.log10(power(kernel) / noise)) < 1e-3, `${found} dB`);
    assert.equal(tensors.find(({ name }) => name === "out/kernel")?.sqnr, Number.POSITIVE_INFINITY);
  });

  it("layers that integers cannot compute: name, class, place, reason, what is supported; the model trains with them", async () => {
    const frames = tf.input({ shape: [8, 3], name: "frames" });
    const inner = tf.sequential({
      name: "encoder",
      layers: [layers.lstm({ name: "lstm", units: 4, inputShape: [6, 5] })],
    });
    const y = layers.conv1d({ name: "conv", filters: 5, kernelSize: 3, activation: "relu" }).apply(frames);
    const coded = inner.apply(y as tf.SymbolicTensor);
    const head = layers.dense({ name: "head", units: 2 }).apply(coded) as tf.SymbolicTensor;
    const quantizer = new QATQuantizer();
    const model = tf.model({ inputs: frames, outputs: head });
    randomizeWeights(model);
    const simulated = quantizer.compress(model);
    const [lstm, ...others] = quantizer.report().float;
    assert.deepEqual(others, []);
    const { supported, ...rest } = lstm;
    assert.deepEqual(rest, { name: "lstm", className: "LSTM", place: "encoder/lstm", reason: "class LSTM" });
    assert.ok(supported.includes("Conv2D") && supported.includes("Dense") && !supported.includes("LSTM"));

    simulated.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
    const recurrent = () =>
      simulated
        .getLayer("encoder/lstm")
        .getWeights()
        .map((weight) => weight.dataSync().slice());
    const start = recurrent();
    const x = tf.randomNormal([16, 8, 3], 0, 1, "float32", 1);
    const target = tf.randomNormal([16, 2], 0, 1, "float32", 2);
    const { history } = await simulated.fit(x, target, { epochs: 8, batchSize: 16, verbose: 0 });
    const losses = history.loss as number[];
    assert.ok(losses[7] < 0.9 * losses[0], `${losses}`);
    recurrent().forEach((weight, i) => {
      assert.notDeepEqual(weight, start[i], "the float layer trains");
    });
  });

  it("a layer of a known class with a setting that integers cannot compute", () => {
    const x = tf.input({ shape: [8, 3] });
    const causal = layers.conv1d({ name: "causal", filters: 2, kernelSize: 3, padding: "causal" as "same" });
    const y = layers.dense({ name: "head", units: 2 }).apply(causal.apply(x)) as tf.SymbolicTensor;
    const quantizer = new QATQuantizer();
    quantizer.compress(tf.model({ inputs: x, outputs: y }));
    assert.deepEqual(
      quantizer.report().float.map(({ name, className, reason }) => ({ name, className, reason })),
      [{ name: "causal", className: "Conv1D", reason: "padding causal" }],
    );
  });
});
