import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { mnist } from "../../examples/data/idx.js";
import { readTfjs } from "../../src/formats/tfjs-model/files.js";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { convert } from "../../src/tfjs/convert.js";
import { DoReFaQuantizer } from "../../src/tfjs/dorefa-quantizer.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";
import { type VerifyOptions, verify } from "../../src/tfjs/verify.js";
import { printVerification, type VerifyReport } from "../../src/tfjs/verify-report.js";
import { CONVERTIBLE, MODELS, randomizeWeights } from "./model-zoo.js";

before(() => tf.setBackend("cpu"));

type Options = ConstructorParameters<typeof QATQuantizer>[0];

/** Random inputs, so many samples. */
const inputsOf = (model: tf.LayersModel, samples: number): tf.Tensor[] =>
  model.inputs.map(({ shape }, i) =>
    tf.randomNormal([samples, ...(shape.slice(1) as number[])], 0, 1, "float32", 7 + i),
  );

/** A model, compressed and calibrated on half of the inputs, and these; weights are random, of both signs. */
async function calibrated(model: tf.LayersModel, options: Options, samples = 32) {
  randomizeWeights(model);
  const inputs = inputsOf(model, samples);
  const simulated = new QATQuantizer(options).compress(model);
  const half = inputs.map((x) => tf.slice(x, 0, samples / 2));
  await calibrate(simulated, half);
  return { simulated, inputs };
}

/** Each layer on the simulation's codes differs in at most 1 code of each 10^4 that were begun, by 1. */
function assertParity(report: VerifyReport, where: string): void {
  assert.ok(report.layers.length > 1, where);
  for (const { value, codes, alone } of report.layers) {
    const allowed = Math.ceil(codes / 10_000);
    assert.ok(alone.differing <= allowed && alone.largest <= 1, `${where}, ${value}:\n${printVerification(report)}`);
  }
}

describe("verify: every layer gives its simulation's codes", () => {
  const settings: Readonly<Record<string, Options>> = {
    "8 bits": {},
    "4 bits": { bits: 4 },
    "weights of 2 bits, activations of 3, ends of 2": { weightBits: 2, activationBits: 3, firstLastBits: 2 },
    "symmetric, one scale per tensor": { symmetric: true, granularity: "perTensor" },
  };
  for (const name of CONVERTIBLE) {
    it(name, async () => {
      for (const [setting, options] of Object.entries(settings)) {
        const { simulated, inputs } = await calibrated(MODELS[name](), options);
        assertParity(await verify(simulated, await convert(simulated), inputs), `${name}, ${setting}`);
      }
    });
  }

  it("biases that raise the scale of their weights, negative and zero gamma", async () => {
    const { layers } = tf;
    const model = tf.sequential({
      layers: [
        layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, inputShape: [6, 6, 2] }),
        layers.batchNormalization({ name: "bn" }),
        layers.activation({ name: "relu", activation: "relu" }),
        layers.batchNormalization({ name: "lone" }),
        layers.flatten({ name: "flat" }),
        layers.dense({ name: "fc", units: 3 }),
      ],
    });
    randomizeWeights(model);
    model
      .getLayer("bn")
      .setWeights([
        tf.tensor1d([-1.5, 0, 0.7, -1e-9]),
        tf.tensor1d([0.3, 0.2, -0.1, 3]),
        tf.tensor1d([0.1, -0.2, 0, 0.5]),
        tf.tensor1d([0.5, 1, 2, 0]),
      ]);
    const lone = model.getLayer("lone").getWeights();
    model.getLayer("lone").setWeights([tf.tensor1d([-1, 0, 2, -1e-10]), ...lone.slice(1)]);
    const x = tf.randomNormal([32, 6, 6, 2], 0, 1, "float32", 5);
    const simulated = new QATQuantizer().compress(model);
    await calibrate(simulated, x);
    const integers = await convert(simulated);
    const [conv, depthwise] = integers.nodes.filter((node) => "weights" in node);
    // Next to no weights, so the bias makes the scale; a float32, so that its code is 2^30 in 24 bits.
    assert.ok(Math.abs(Number(conv.bias?.[3]) / 2 ** 30 - 1) < 2 ** -24);
    assert.deepEqual([...depthwise.weights], [-127, 0, 127, 0]);
    assertParity(await verify(simulated, integers, x), "gamma");
  });

  it("average pools and upsamplings with parameters of their own", async () => {
    const { layers } = tf;
    const model = tf.sequential({
      layers: [
        layers.conv2d({ name: "conv", filters: 3, kernelSize: 3, inputShape: [8, 8, 2] }),
        layers.averagePooling2d({ name: "pool", poolSize: 2 }),
        layers.upSampling2d({ name: "up", size: [3, 5], interpolation: "bilinear" }),
        layers.conv2d({ name: "last", filters: 2, kernelSize: 1 }),
      ],
    });
    const all = { quant_types: ["weight", "input", "output"], quant_bits: 8 };
    const list = [
      { ...all, op_types: ["Conv2D"] },
      { op_names: ["pool"], quant_types: ["output"], quant_bits: 6 },
      { op_names: ["up"], quant_types: ["output"], quant_bits: 7 },
    ];
    const { simulated, inputs } = await calibrated(model, list as never);
    const integers = await convert(simulated);
    const ops = integers.nodes.map(({ op }) => op);
    assert.deepEqual(ops.slice(2, 6), ["averagePool2d", "quantize", "resizeBilinear", "quantize"]);
    assertParity(await verify(simulated, integers, inputs), "own parameters");
  });

  it("a concat of values that others read too: requantized before it", async () => {
    const { layers } = tf;
    const x = tf.input({ shape: [6, 6, 3], name: "image" });
    const conv = layers.conv2d({ name: "conv", filters: 4, kernelSize: 3, padding: "same", activation: "relu" });
    const a = conv.apply(x) as tf.SymbolicTensor;
    const gate = layers.activation({ name: "gate", activation: "sigmoid" }).apply(a) as tf.SymbolicTensor;
    const joined = layers.concatenate({ name: "joined" }).apply([x, a, gate]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: x, outputs: [joined, a] });
    for (const options of [{}, { bits: 4 }]) {
      const { simulated, inputs } = await calibrated(model, options);
      const integers = await convert(simulated);
      const requantized = integers.nodes.filter(
        ({ op, output }) => op === "quantize" && output.endsWith("/requantized"),
      );
      assert.equal(requantized.length, 3);
      assertParity(await verify(simulated, integers, inputs), JSON.stringify(options));
    }
  });

  it("upsamplings by any factors", async () => {
    for (const size of [
      [2, 2],
      [3, 3],
      [5, 1],
      [7, 6],
    ] as [number, number][]) {
      for (const interpolation of ["nearest", "bilinear"] as const) {
        const up = tf.layers.upSampling2d({ name: "up", size, interpolation, inputShape: [8, 7, 2] });
        const conv = tf.layers.conv2d({ name: "conv", filters: 2, kernelSize: 1 });
        const { simulated, inputs } = await calibrated(tf.sequential({ layers: [up, conv] }), {});
        assertParity(await verify(simulated, await convert(simulated), inputs), `${interpolation} ${size}`);
      }
    }
  });
});

const folder = (name: string): string => join(fileURLToPath(new URL("../../examples/models", import.meta.url)), name);

/** The MNIST network of the examples. */
async function mnistModel(): Promise<tf.LayersModel> {
  const path = folder("mnist-cnn");
  const files = readdirSync(path).map((name) => [name, readFileSync(join(path, name))] as const);
  return tf.loadLayersModel(tf.io.fromMemory(readTfjs(Object.fromEntries(files)) as unknown as tf.io.ModelArtifacts));
}

describe("verify: the MNIST network on images", () => {
  const SAMPLES = 200;
  const test = mnist("t10k");
  const images = () => tf.tensor4d(test.images.subarray(0, SAMPLES * 784), [SAMPLES, 28, 28, 1]);
  const labels = test.labels.subarray(0, SAMPLES);

  const cases = [
    ["calibrated, 8 bits", {}, 0],
    ["trained, 4-bit weights", { weightBits: 4, freezeBatchNormStep: 2 }, 4],
    ["trained, 2-bit weights and 4-bit activations", { weightBits: 2, activationBits: 4 }, 4],
  ] as const;
  for (const [name, options, steps] of cases) {
    it(name, async () => {
      setThreadsCount(1);
      await tf.setBackend("wasm");
      try {
        const x = images();
        const simulated = new QATQuantizer(options).compress(await mnistModel());
        await calibrate(simulated, tf.slice(x, 0, 64));
        if (steps > 0) {
          const y = tf.oneHot(tf.tensor1d(Int32Array.from(labels), "int32"), 10);
          const batchSize = SAMPLES / steps;
          simulated.compile({ optimizer: tf.train.adam(1e-3), loss: "categoricalCrossentropy" });
          await simulated.fit(x, y, { batchSize, shuffle: false, verbose: 0 });
        }
        const report = await verify(simulated, await convert(simulated), x, { labels });
        assertParity(report, name);
        assert.equal(report.samples, SAMPLES);
        const { simulated: before, integer } = report.accuracy ?? { simulated: 0, integer: 1 };
        assert.ok(Math.abs(before - integer) <= 1 / SAMPLES, printVerification(report));
        if (steps === 0) assert.ok(before > 0.97, printVerification(report));
      } finally {
        await tf.setBackend("cpu");
      }
    });
  }
});

describe("verify: reports", () => {
  /** The integers with one weight's code changed. */
  function damaged(integers: QuantizedGraph, output: string): QuantizedGraph {
    const nodes = integers.nodes.map((node) => {
      if (node.output !== output || !("weights" in node)) return node;
      const weights = node.weights.slice();
      weights[0] += weights[0] > 0 ? -60 : 60;
      return { ...node, weights };
    });
    return { ...integers, nodes };
  }

  it("says which layer differs, alone and end to end, and by how much", async () => {
    const { simulated, inputs } = await calibrated(MODELS.residual(), {});
    const report = await verify(simulated, damaged(await convert(simulated), "bn2"), inputs);
    assert.equal(report.firstDiffering, "bn2");
    const alone = report.layers.map(({ value, alone }) => [value, alone.differing > 0]);
    assert.deepEqual(alone, [
      ["image", false],
      ["relu1", false],
      ["bn2", true],
      ["relu2", false],
      ["gap", false],
    ]);
    const behind = report.layers.slice(2);
    for (const { endToEnd, codes } of behind) {
      assert.ok(endToEnd.largest > 1);
      assert.equal(endToEnd.fraction, endToEnd.differing / codes);
    }
  });

  it("int8 at the borders, several inputs, batches of tensors: the same counts", async () => {
    const { simulated, inputs } = await calibrated(MODELS["several inputs and outputs"](), {});
    const expected = await verify(simulated, await convert(simulated), inputs);
    const batches = [0, 1].map((i) => inputs.map((x) => tf.slice(x, 16 * i, 16)));
    const { layers } = await verify(simulated, await convert(simulated, { io: "int8" }), batches);
    assert.deepEqual(layers, expected.layers.slice(3), "all but the inputs, which are given as codes");
    const values = ["left", "right", "gate", "sum/1", "sum", "product", "head"];
    assert.deepEqual(
      expected.layers.map(({ value }) => value),
      values,
    );
  });

  it("other rounding rules differ by 1 at most", async () => {
    const { simulated, inputs } = await calibrated(MODELS["depthwise separable with batch norms"](), {});
    const integers = await convert(simulated);
    for (const rounding of ["tflite", "float32"] as const) {
      const report = await verify(simulated, integers, inputs, { rounding });
      assert.equal(report.rounding, rounding);
      assert.ok(report.alone.largest <= 1);
    }
    const tflite = await verify(simulated, integers, inputs, { rounding: "tflite" });
    assert.ok(tflite.alone.differing > 0, "two roundings of depthwise sums");
  });

  it("counts right classes by labels", async () => {
    const { simulated, inputs } = await calibrated(MODELS.sequential(), {});
    const output = simulated.predict(inputs) as tf.Tensor2D;
    const classes = Array.from(output.argMax(-1).dataSync());
    const wrong = classes.map((label, i) => (i < 8 ? (label + 1) % 5 : label));
    const { accuracy } = await verify(simulated, await convert(simulated), inputs, { labels: wrong });
    assert.deepEqual(accuracy, { simulated: 0.75, integer: 0.75 });
  });

  it("leaves nothing on the backend", async () => {
    const { simulated, inputs } = await calibrated(MODELS.inception(), {});
    const integers = await convert(simulated);
    const { numTensors } = tf.memory();
    await verify(simulated, integers, inputs);
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it("errors", async () => {
    const { simulated, inputs } = await calibrated(MODELS.sequential(), {});
    const integers = await convert(simulated);
    const fails = (
      message: string,
      code: string | undefined,
      name: string,
      ...more: [tf.LayersModel, QuantizedGraph, tf.Tensor[], VerifyOptions?]
    ) => assert.rejects(verify(...more), code === undefined ? { name, message } : { name, code, message });
    const other = await calibrated(MODELS.residual(), {});
    await fails(
      'verify: expected integers made by convert from this model, got some without codes of "conv_input"',
      "invalid-model",
      "QuantError",
      simulated,
      await convert(other.simulated),
      inputs,
    );
    await fails(
      "verify: expected a model with quantized activations, made by QATQuantizer.compress or DoReFaQuantizer.compress, got one without",
      "invalid-model",
      "QuantError",
      MODELS.sequential(),
      integers,
      inputs,
    );
    await fails(
      "verify: expected a label for each sample, got 3 for more samples",
      undefined,
      "RangeError",
      simulated,
      integers,
      inputs,
      {
        labels: [1, 2, 3],
      },
    );
    await fails("verify: expected at least one sample, got none", undefined, "RangeError", simulated, integers, []);
    await fails(
      "verify: expected an integer batchSize ≥ 1, got 0",
      undefined,
      "RangeError",
      simulated,
      integers,
      inputs,
      {
        batchSize: 0,
      },
    );
  });
});

describe("verify: models of DoReFa's", () => {
  type DorefaOptions = ConstructorParameters<typeof DoReFaQuantizer>[0];

  /** Two hidden convolutions and a hidden dense layer of usual size, random, calibrated. */
  async function network(options: DorefaOptions) {
    const { layers } = tf;
    const conv = (name: string, more = {}) =>
      layers.conv2d({ name, filters: 24, kernelSize: 3, useBias: false, padding: "same", ...more });
    const block = (name: string) => [
      layers.batchNormalization({ name: `${name}_bn` }),
      layers.reLU({ name: `${name}_relu` }),
    ];
    const model = tf.sequential({
      layers: [
        ...[conv("first", { inputShape: [8, 8, 3] }), ...block("first")],
        ...[conv("hidden1"), ...block("hidden1"), layers.maxPooling2d({ name: "pool", poolSize: 2 })],
        ...[conv("hidden2"), ...block("hidden2"), layers.flatten({ name: "flat" })],
        ...[layers.dense({ name: "hidden3", units: 32 }), ...block("hidden3")],
        layers.dense({ name: "last", units: 5, activation: "softmax" }),
      ],
    });
    randomizeWeights(model);
    const inputs = inputsOf(model, 128);
    const simulated = new DoReFaQuantizer(options).compress(model);
    await calibrate(simulated, inputs);
    const told: string[] = [];
    const integers = await convert(simulated, { onDifference: ({ layer }) => told.push(layer) });
    return { told, report: await verify(simulated, integers, inputs) };
  }

  const settings: Readonly<Record<string, DorefaOptions>> = {
    "1-2": { weightBits: 1, activationBits: 2 },
    "1-1, signs": { weightBits: 1, activationBits: 1, signActivations: true },
    "2-2, [0, 6]": { bits: 2, activationBound: 6 },
    "4-4": { bits: 4 },
  };
  for (const [name, options] of Object.entries(settings)) {
    it(`${name}: what training rounded has its codes; the first and last layers are marked`, async () => {
      const { told, report } = await network(options);
      const trained = report.layers.filter(({ roundedLater }) => roundedLater !== true);
      assert.deepEqual(
        trained.map(({ value }) => value),
        ["pool", "hidden2_relu"],
      );
      const text = printVerification(report);
      for (const { codes, alone } of trained) {
        // Channels that convert tells have sums with another code, each one of hundreds.
        const allowed = told.length === 0 ? 1e-4 : 1e-3;
        assert.ok(
          alone.differing <= Math.ceil(codes * allowed) && alone.largest <= 1,
          `${told.length} channels told\n${text}`,
        );
      }
      const [image, first] = report.layers;
      // An input's codes are of the values that came in.
      assert.deepEqual([image.roundedLater, image.alone.differing], [true, 0]);
      assert.ok(first.alone.fraction > 0 && first.alone.fraction < 0.05, text);
    });
  }

  it("weights of 8 bits are rounded again, and marked", async () => {
    const { report } = await network({ bits: 8 });
    assert.ok(report.layers.every(({ roundedLater }) => roundedLater === true));
    const pool = report.layers.find(({ value }) => value === "pool");
    assert.ok(pool !== undefined && pool.alone.fraction > 1e-3 && pool.alone.fraction < 0.5, printVerification(report));
  });

  it("a clip or sign of a value that goes on as it is: codes of the simulation's", async () => {
    const { layers } = tf;
    for (const signActivations of [false, true]) {
      const image = tf.input({ shape: [8, 8, 4], name: "image" });
      const conv = (name: string) => layers.conv2d({ name, filters: 4, kernelSize: 3, padding: "same" });
      const norm = (name: string) => layers.batchNormalization({ name });
      let x = norm("bn0").apply(conv("first").apply(image)) as tf.SymbolicTensor;
      for (const i of [1, 2]) {
        const branch = norm(`bn${i}`).apply(conv(`conv${i}`).apply(x)) as tf.SymbolicTensor;
        x = layers.add({ name: `sum${i}` }).apply([branch, x]) as tf.SymbolicTensor;
      }
      const model = tf.model({ inputs: image, outputs: conv("last").apply(x) as tf.SymbolicTensor });
      randomizeWeights(model);
      const inputs = inputsOf(model, 32);
      const bits = { weightBits: 1, activationBits: signActivations ? 1 : 2 };
      const simulated = new DoReFaQuantizer({ ...bits, signActivations }).compress(model);
      await calibrate(simulated, inputs);
      const integers = await convert(simulated);
      const report = await verify(simulated, integers, inputs);
      assert.deepEqual(
        report.layers.filter(({ value }) => value.endsWith("/clipped")).map(({ value }) => value),
        ["bn0/clipped", "sum1/clipped"],
      );
      // Alone, they are made of 8-bit codes of the value: those next to one of three thresholds differ.
      for (const { value, alone } of report.layers) {
        if (value.endsWith("/clipped")) assert.ok(alone.fraction < 0.02, printVerification(report));
      }
    }
  });
});
