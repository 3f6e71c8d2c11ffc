import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { printGraph } from "../../src/graph/print-graph.js";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { DoReFaQuantizer } from "../../src/tfjs/dorefa-quantizer.js";
import { importLayersModel } from "../../src/tfjs/import-layers-model.js";
import { EdgeLayer } from "../../src/tfjs/simulated/edge-layer.js";
import { largestDifference, reload, trainingGradients } from "./model-checks.js";
import { MODELS, randomizeWeights, sampleInputs } from "./model-zoo.js";
import { go } from "./ops/backends.js";

before(() => tf.setBackend("cpu"));

/** Models whose gradients stock tfjs itself cannot compute, and why. */
const WITHOUT_GRADIENTS: Readonly<Record<string, string>> = {
  "batch norm over another axis": "stock batch norm fails in training on axis 1",
};
const EVERYTHING: ConfigList = [{ op_types: ["default"], quant_types: ["weight", "input"], quant_bits: 3 }];

const graphOf = (model: tf.LayersModel): string => printGraph(importLayersModel(model).graph);

describe("DoReFaQuantizer.compress", () => {
  for (const [name, make] of Object.entries(MODELS)) {
    it(`${name}: a gradient for every weight, the same graph and outputs after save and load`, async () => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const quantizer = new DoReFaQuantizer(EVERYTHING, { gradientBits: 4 });
      if (!importLayersModel(model).graph.nodes.some((node) => "weightsShape" in node)) {
        assert.throws(() => quantizer.compress(model), {
          name: "QuantError",
          code: "invalid-config",
          message: `DoReFaQuantizer.compress: expected config entries that select a weight, input or output to quantize, got none in "${model.name}"`,
        });
        return;
      }
      const weights = model.getWeights().map((weight) => weight.dataSync().slice());
      const tensors = tf.memory().numTensors;
      const simulated = quantizer.compress(model);
      assert.equal(tf.memory().numTensors - tensors, simulated.weights.length, "nothing but the model's variables");
      const outputs = [simulated.predict(inputs)].flat();
      const loaded = await reload(simulated);
      assert.equal(largestDifference([loaded.predict(inputs)].flat(), outputs), 0);
      assert.equal(graphOf(loaded), graphOf(simulated));
      if (WITHOUT_GRADIENTS[name] === undefined) {
        assert.deepEqual(trainingGradients(simulated, inputs).missing, []);
      }
      assert.deepEqual(
        model.getWeights().map((weight) => weight.dataSync().slice()),
        weights,
        "the given model is untouched",
      );
    });

    it(`${name}: with 32 bits the float model to 1e-5`, () => {
      const model = make();
      randomizeWeights(model);
      const inputs = sampleInputs(model);
      const untouched: ConfigList = [{ op_types: ["default"], quant_types: ["weight", "input"], quant_bits: 32 }];
      if (!importLayersModel(model).graph.nodes.some((node) => "weightsShape" in node)) return;
      const simulated = new DoReFaQuantizer(untouched).compress(model);
      const expected = [model.predict(inputs)].flat();
      assert.ok(largestDifference([simulated.predict(inputs)].flat(), expected) <= 1e-5);
    });
  }
});

const { layers } = tf;

/** Convolutions with batch norm and relu, a max-pool, two dense layers. */
function smallNet(): tf.LayersModel {
  const model = tf.sequential({
    name: "net",
    layers: [
      layers.conv2d({ name: "conv1", filters: 4, kernelSize: 3, inputShape: [8, 8, 2] }),
      layers.batchNormalization({ name: "bn1" }),
      layers.reLU({ name: "relu1" }),
      layers.maxPooling2d({ name: "pool", poolSize: 2 }),
      layers.conv2d({ name: "conv2", filters: 5, kernelSize: 3, useBias: false }),
      layers.batchNormalization({ name: "bn2" }),
      layers.reLU({ name: "relu2", maxValue: 6 }),
      layers.flatten({ name: "flat" }),
      layers.dense({ name: "fc", units: 6, activation: "relu" }),
      layers.dense({ name: "out", units: 3 }),
    ],
  });
  randomizeWeights(model);
  return model;
}

/** The printed graph of the small net, compressed: details of each line by value. What took a relu in has the relu's name. */
function compressed(...config: ConstructorParameters<typeof DoReFaQuantizer>): Record<string, string> {
  const [, ...lines] = graphOf(new DoReFaQuantizer(...config).compress(smallNet())).split("\n");
  const cells = lines.slice(0, -1).map((line) => line.split(/ {2,}/));
  return Object.fromEntries(
    cells.map(([value, op, ...more]) => [value, more.slice(op === "input" ? 1 : 2).join("; ")]),
  );
}

describe("DoReFaQuantizer with options", () => {
  it("the first and last layer stay, with ranges observed; relus before quantized layers become clips, batch norms are nodes", () => {
    assert.deepEqual(compressed({ weightBits: 1, activationBits: 2, gradientBits: 4, seed: 7 }), {
      conv1_input: "observed",
      conv1: "3×3 valid, bias",
      relu1: "",
      pool: "uint2 [0, 1]; 2×2 stride 2 valid",
      conv2: "3×3 valid, dorefa w1 g4",
      relu2: "uint2 [0, 1]",
      flat: "",
      fc: "observed; [5, 6], bias, relu, dorefa w1 g4",
      out: "observed; [6, 3], bias",
    });
  });

  it("8 bits by default; bits of the ends; a bound; signs", () => {
    assert.equal(compressed().conv2, "3×3 valid, dorefa w8 g8");
    const { conv1, fc, out } = compressed({ bits: 2, firstLastBits: 8 });
    assert.deepEqual(
      [conv1, fc, out],
      [
        "3×3 valid, bias, dorefa w8 g2",
        "uint8 [0, 1]; [5, 6], bias, dorefa w2 g2",
        "observed; [6, 3], bias, dorefa w8 g2",
      ],
    );
    assert.equal(compressed({ activationBound: 6 }).relu2, "uint8 [0, 6]");
    assert.equal(compressed({ activationBits: 1, signActivations: true }).relu2, "sign");
  });

  it("32-32-32 trains as the float model does: weights and outputs to 1e-5 after five steps", () => {
    const model = smallNet();
    const simulated = new DoReFaQuantizer({ bits: 32 }).compress(model);
    assert.ok(graphOf(simulated).includes("batchNorm"));
    const x = tf.randomNormal([8, 8, 8, 2], 0, 1, "float32", 5);
    const y = tf.randomNormal([8, 3], 0, 1, "float32", 6);
    const losses = [model, simulated].map((one) => {
      const optimizer = tf.train.sgd(0.05);
      const step = () =>
        optimizer.minimize(
          () => tf.losses.meanSquaredError(y, one.apply(x, { training: true }) as tf.Tensor) as tf.Scalar,
          true,
          one.trainableWeights.map((weight) => weight.read() as tf.Variable),
        ) as tf.Scalar;
      return Array.from({ length: 5 }, () => step().dataSync()[0]);
    });
    assert.ok(losses[0][4] < losses[0][0]);
    const own = new Map(simulated.weights.map((variable) => [variable.originalName, variable.read()]));
    for (const variable of model.weights) {
      const other = own.get(variable.originalName);
      assert.ok(other !== undefined, variable.originalName);
      assert.ok(largestDifference([other], [variable.read()]) <= 1e-5, variable.originalName);
    }
    assert.ok(largestDifference([simulated.predict(x) as tf.Tensor], [model.predict(x) as tf.Tensor]) <= 1e-5);
  });

  it("a model without layers between the first and the last is an error that says so", () => {
    const model = tf.sequential({
      layers: [layers.dense({ name: "a", units: 3, inputShape: [4] }), layers.dense({ name: "b", units: 2 })],
    });
    assert.throws(() => new DoReFaQuantizer({ bits: 2 }).compress(model), {
      name: "QuantError",
      code: "invalid-model",
      message:
        'DoReFaQuantizer.compress: expected a layer with weights between the first and the last, which stay as they are, got "a", "b"; give firstLastBits or a config list',
    });
  });

  it("bits out of range, unknown options, and a report before compress are errors", () => {
    assert.throws(() => new DoReFaQuantizer({ gradientBits: 0 }), {
      name: "RangeError",
      message: "DoReFaQuantizer: gradientBits: expected bits in 1…16, or 32 for untouched, got 0",
    });
    assert.throws(() => new DoReFaQuantizer({ granularity: "perChannel" } as object), {
      name: "TypeError",
      message:
        'DoReFaQuantizer: expected options among bits, weightBits, activationBits, firstLastBits, gradientBits, seed, activationBound, signActivations, got "granularity"',
    });
    assert.throws(() => new DoReFaQuantizer().report(), {
      code: "invalid-model",
      message: "DoReFaQuantizer.report: expected a compressed model, got none; call compress first",
    });
    assert.throws(() => new DoReFaQuantizer().compress({} as tf.LayersModel), {
      name: "TypeError",
      message: "importLayersModel: expected a tf.LayersModel of the same @tensorflow/tfjs, got [object Object]",
    });
  });
});

describe("DoReFaQuantizer with a config list", () => {
  it("exactly the targets that are named, and gradients where the weight is", () => {
    const list: ConfigList = [
      { op_names: ["conv1", "fc"], quant_types: ["weight"], quant_bits: 2 },
      { op_names: ["conv2"], quant_types: ["output"], quant_bits: 3 },
    ];
    assert.deepEqual(compressed(list, { gradientBits: 4 }), {
      conv1_input: "observed",
      conv1: "3×3 valid, bias, dorefa w2 g4",
      relu1: "observed; relu",
      pool: "2×2 stride 2 valid",
      conv2: "3×3 valid",
      relu2: "uint3 [0, 1]",
      flat: "",
      fc: "observed; [5, 6], bias, relu, dorefa w2 g4",
      out: "observed; [6, 3], bias",
    });
  });

  it("where two entries speak about one value the later wins", () => {
    const input = { op_names: ["fc"], quant_types: ["input"] as const, quant_bits: 8 };
    const output = { op_names: ["conv2"], quant_types: ["output"] as const, quant_bits: 2 };
    assert.equal(compressed([input, output]).relu2, "uint2 [0, 1]");
    assert.equal(compressed([output, input]).relu2, "uint8 [0, 1]");
  });

  it("an entry that selects nothing, and a name that the model lacks, are errors", () => {
    const compress = (list: ConfigList) => () => new DoReFaQuantizer(list).compress(smallNet());
    assert.throws(compress([{ op_names: ["fc"], exclude: true }]), {
      code: "invalid-config",
      message:
        'DoReFaQuantizer.compress: expected config entries that select a weight, input or output to quantize, got none in "net"',
    });
    assert.throws(compress([{ op_names: ["conv3"], q_bits: 2 }]), {
      code: "invalid-config",
      message:
        'DoReFaQuantizer.compress: config entry 0, "op_names": expected names of layers ("conv1", "conv2", "bn1", "pool", "bn2", "out", … 4 more), got "conv3"',
    });
  });
});

describe("a DoReFa model", () => {
  for (const place of ["cpu", "wasm", "a backend without the library's kernels"] as const) {
    it(`fits, evaluates and predicts; an epoch leaves no tensor behind; the noise goes on after a reload, on ${place}`, async () => {
      await go(place);
      const model = new DoReFaQuantizer({ weightBits: 1, activationBits: 2, gradientBits: 4 }).compress(smallNet());
      const x = tf.randomUniform([32, 8, 8, 2], 0, 1, "float32", 1);
      const y = tf.oneHot(tf.cast(tf.greater(tf.mean(x, [1, 2, 3]), 0.5), "int32"), 3);
      const compile = (one: tf.LayersModel) =>
        one.compile({ optimizer: tf.train.sgd(0.05), loss: tf.losses.softmaxCrossEntropy as never });
      compile(model);
      const fit = (one: tf.LayersModel, epochs: number) =>
        one.fit(x, y, { epochs, batchSize: 16, shuffle: false, verbose: 0 });
      const { history } = await fit(model, 8);
      assert.ok((history.loss.at(-1) as number) < (history.loss[0] as number), String(history.loss));
      const tensors = tf.memory().numTensors;
      await fit(model, 1);
      assert.equal(tf.memory().numTensors, tensors);
      const steps = model.weights.filter(({ originalName }) => /^(conv2|fc)\/step$/.test(originalName));
      assert.deepEqual(
        steps.map((step) => step.read().dataSync()[0]),
        [18, 18],
      );
      const loaded = await reload(model);
      compile(loaded);
      await fit(model, 1);
      await fit(loaded, 1);
      for (const [i, weight] of model.weights.entries()) {
        assert.deepEqual(loaded.weights[i].read().dataSync(), weight.read().dataSync(), weight.originalName);
      }
      const loss = model.evaluate(x, y, { verbose: 0 }) as tf.Scalar;
      assert.ok(Number.isFinite(loss.dataSync()[0]));
      tf.dispose([x, y, loss]);
      model.dispose();
      loaded.dispose();
    });
  }

  it("a layer that is used twice counts each use as a step, so that their noise differs", async () => {
    await go("cpu");
    const x = tf.input({ shape: [6] });
    const shared = layers.dense({ name: "shared", units: 6, useBias: false });
    const chain = [layers.dense({ name: "first", units: 6 }), shared, shared, layers.dense({ name: "last", units: 1 })];
    const y = chain.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x as tf.SymbolicTensor);
    const model = new DoReFaQuantizer({ bits: 32, gradientBits: 2 }).compress(tf.model({ inputs: x, outputs: y }));
    const { grads } = trainingGradients(model, tf.ones([4, 6]));
    assert.ok(Object.keys(grads).length > 0);
    const step = model.weights.find(({ originalName }) => originalName === "shared/step");
    assert.equal(step?.read().dataSync()[0], 2);
  });

  it("observes what enters and leaves the float layers, in training alone, and rounds nothing there", async () => {
    await go("cpu");
    const model = new DoReFaQuantizer({ bits: 2 }).compress(smallNet());
    const edge = model.getLayer("conv1_input/observed");
    assert.ok(edge instanceof EdgeLayer);
    const x = tf.randomUniform([4, 8, 8, 2], -1, 3, "float32", 1);
    assert.equal(await edge.range(), undefined);
    model.apply(x, { training: true });
    assert.deepEqual(await edge.range(), { min: tf.min(x).dataSync()[0], max: tf.max(x).dataSync()[0] });
    assert.deepEqual((edge.apply(x) as tf.Tensor).dataSync(), x.dataSync());
    await calibrate(model, tf.ones([2, 8, 8, 2]));
    assert.deepEqual(await edge.range(), { min: 0, max: 1 });
    const observed = model.layers.filter(({ name }) => name.endsWith("/observed")).map(({ name }) => name);
    assert.deepEqual(observed, ["conv1_input/observed", "fc/observed", "out/observed"]);
  });

  it("report: bits and bytes of rounded weights, the others untouched, layers that stay float", () => {
    const quantizer = new DoReFaQuantizer({ weightBits: 1 });
    quantizer.compress(smallNet());
    const { tensors, float, bytesBefore, bytesAfter } = quantizer.report();
    const row = tensors.find(({ name }) => name === "conv2/kernel");
    assert.deepEqual(
      { ...row, sqnr: 0, scales: 0 },
      {
        name: "conv2/kernel",
        shape: [3, 3, 4, 5],
        bits: 1,
        granularity: "perTensor",
        bytesBefore: 720,
        bytesAfter: 45 + 4,
        sqnr: 0,
        scales: 0,
      },
    );
    assert.ok((row?.sqnr ?? 0) > 3 && (row?.sqnr ?? 0) < 8);
    assert.deepEqual(
      tensors.filter(({ bits }) => bits !== 32).map(({ name }) => name),
      ["conv2/kernel", "fc/kernel"],
    );
    assert.equal(bytesBefore - bytesAfter, 720 - 49 + (120 - 12));
    assert.deepEqual(float, []);
  });
});
