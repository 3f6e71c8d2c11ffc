import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { nsfwModel } from "../../examples/data/models.js";
import type { ModelArtifacts } from "../../src/formats/tfjs-model/artifacts.js";
import { floatWeight, joinWeights, splitWeights } from "../../src/formats/tfjs-model/weight-data.js";
import type { NaiveOptions } from "../../src/quantizers/naive.js";
import type { Report } from "../../src/quantizers/report.js";
import { NaiveQuantizer } from "../../src/tfjs/naive-quantizer.js";
import { expectedCodes } from "./expected-codes.js";
import { graphOf, SAMPLE_GRAPHS } from "./sample-graphs.js";
import { type Channels, SAMPLE_MODELS, type SampleModel, values, withWeights } from "./sample-models.js";
import { bitsOf, loadGraph, predictions, stockArtifacts, storedFloats, weightsOf } from "./weights-of.js";

// The wasm backend registers itself as the first choice, but only the cpu backend starts synchronously.
before(() => tf.setBackend("cpu"));

const everyBits = [2, 3, 4, 5, 6, 7, 8];

describe("NaiveQuantizer on layers models", () => {
  for (const sample of SAMPLE_MODELS) {
    it(`${sample.name}: codes, scales, predictions, report, no leak`, () => checkSample(sample, {}));
    it(`${sample.name}, per tensor`, () => checkSample(sample, { granularity: "perTensor" }));
  }
  for (const bits of everyBits) {
    it(`${bits} bits`, () => checkSample(SAMPLE_MODELS[1], { bits }));
  }

  it("weightBits wins over bits", () => checkSample(SAMPLE_MODELS[0], { bits: 3, weightBits: 5 }, 5));

  it("all-zero kernels and channels get scale 1 and stay zero", () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ name: "fc", units: 2, inputShape: [3] })] });
    model.setWeights([tf.tensor2d([0, 1, 0, -2, 0, 0.5], [3, 2]), tf.tensor1d([3, 4])]);
    const some = new NaiveQuantizer().compress(model);
    assert.deepEqual(paramsOf(some)["fc/kernel"].scale, [1, Math.fround(2 / 127)]);
    assert.deepEqual(
      [...(weightsOf(some).get("fc/kernel") as Float32Array)].filter((_, i) => i % 2 === 0),
      [0, 0, 0],
    );
    model.setWeights([tf.zeros([3, 2]), tf.tensor1d([3, 4])]);
    const quantizer = new NaiveQuantizer({ granularity: "perTensor" });
    const none = quantizer.compress(model);
    assert.equal(paramsOf(none)["fc/kernel"].scale, 1);
    assert.deepEqual([...(weightsOf(none).get("fc/kernel") as Float32Array)], [0, 0, 0, 0, 0, 0]);
    assert.equal(quantizer.report().tensors[0].sqnr, Number.POSITIVE_INFINITY);
  });

  it("is idempotent: the grid values of a compressed model are their own codes", () => {
    const once = new NaiveQuantizer().compress(SAMPLE_MODELS[1].build());
    const twice = new NaiveQuantizer().compress(once);
    for (const [name, data] of weightsOf(once))
      assert.deepEqual(bitsOf(weightsOf(twice).get(name)!), bitsOf(data), name);
  });

  it("keeps the name, the class and the user's metadata", () => {
    const model = SAMPLE_MODELS[0].build() as tf.Sequential;
    model.setUserDefinedMetadata({ labels: ["a", "b"] });
    const small = new NaiveQuantizer().compress(model);
    assert.ok(small instanceof tf.Sequential);
    assert.equal(small.name, model.name);
    assert.deepEqual((small.getUserDefinedMetadata() as { labels: unknown }).labels, ["a", "b"]);
    assert.deepEqual(model.getUserDefinedMetadata(), { labels: ["a", "b"] });
  });

  it("survives the disposal of the old model, and training the old model does not change it", async () => {
    const [sample] = SAMPLE_MODELS;
    const model = sample.build();
    const small = new NaiveQuantizer().compress(model);
    const before = predictions(small, sample.input());
    model.compile({ optimizer: tf.train.sgd(1), loss: "meanSquaredError" });
    await model.fit(sample.input(), tf.ones([4, 3]), { epochs: 1, verbose: 0 });
    assert.deepEqual(predictions(small, sample.input()), before);
    model.dispose();
    assert.deepEqual(predictions(small, sample.input()), before);
  });

  it("a model with a custom layer: its biases of rank 2 stay, its other weights of rank 2 do not", () => {
    const model = withWeights(tf.sequential({ layers: [new Scaling({ name: "own", inputShape: [3] })] }));
    const small = new NaiveQuantizer().compress(model);
    assert.deepEqual(Object.keys(paramsOf(small)), ["own/factors"]);
    assert.deepEqual(weightsOf(small).get("own/bias"), weightsOf(model).get("own/bias"));
  });
});

describe("NaiveQuantizer on graph models", () => {
  for (const { name, artifacts, input: makeInput, channels } of SAMPLE_GRAPHS) {
    for (const granularity of ["perChannel", "perTensor"] as const) {
      it(`${name}, ${granularity}`, () => {
        checkGraph(artifacts, makeInput(), granularity === "perChannel" ? channels : {}, Object.keys(channels), {
          granularity,
        });
      });
    }
  }

  it("MobileNetV2 of nsfwjs, stored in uint8", async () => {
    setThreadsCount(1);
    await tf.setBackend("wasm");
    const artifacts = nsfwModel("mobilenet_v2_mid");
    const kernels = artifacts.weightSpecs!.filter(({ shape }) => shape.length >= 2);
    const nodes = (artifacts.modelTopology as { node: { op: string; input?: string[] }[] }).node;
    const depthwise = new Set(
      nodes.filter(({ op }) => op === "FusedDepthwiseConv2dNative").map(({ input }) => input![1]),
    );
    const channels = kernels.map(({ name, shape }): [string, Channels] => [
      name,
      depthwise.has(name) ? "depthwise" : shape.length - 1,
    ]);
    assert.equal(kernels.length, 53);
    const input = tf.tensor(values(224 * 224 * 3, 5), [1, 224, 224, 3]);
    checkGraph(
      artifacts,
      input,
      Object.fromEntries(channels),
      kernels.map(({ name }) => name),
      {},
    );
    await tf.setBackend("cpu");
  });

  it("keeps the user's metadata", async () => {
    const small = new NaiveQuantizer().compress(loadGraph(SAMPLE_GRAPHS[0].artifacts));
    const metadata = (await stockArtifacts(small)).userDefinedMetadata as { labels: unknown };
    assert.deepEqual(metadata.labels, ["x"]);
  });

  it("errors: NaN, no weights, not loaded, loaded as a stream", async () => {
    const { artifacts } = SAMPLE_GRAPHS[4];
    const data = new Float32Array((artifacts.weightData as ArrayBuffer).slice(0));
    data[20 + 7] = Number.NaN;
    const compress = (model: tf.GraphModel) => () => new NaiveQuantizer().compress(model);
    const graph = loadGraph({ ...artifacts, weightData: data.buffer });
    const { numTensors } = tf.memory();
    assert.throws(compress(graph), {
      name: "QuantError",
      code: "non-finite",
      message: 'NaiveQuantizer.compress: "transposed": expected finite values, got NaN at index 7',
    });
    assert.equal(tf.memory().numTensors, numTensors);
    const add = { name: "out", op: "AddV2", input: ["a", "a"], attr: { T: { type: "DT_FLOAT" } } };
    assert.throws(compress(loadGraph(graphOf({ a: [2, 2] }, [add]))), {
      name: "QuantError",
      code: "invalid-model",
      message: "NaiveQuantizer.compress: expected a model with weights of rank ≥ 2, got none among 1 weights",
    });
    const message =
      "NaiveQuantizer.compress: expected a loaded graph model with its weight data, got one without; load it without streamWeights";
    const streamed = await tf.loadGraphModel(
      {
        load: async () => ({
          ...(artifacts as unknown as tf.io.ModelArtifacts),
          weightData: undefined as unknown as ArrayBuffer,
          getWeightStream: () =>
            new Blob([artifacts.weightData as ArrayBuffer]).stream() as unknown as ReadableStream<ArrayBuffer>,
        }),
      },
      { streamWeights: true },
    );
    assert.throws(compress(streamed), { name: "QuantError", code: "invalid-model", message });
    const unloaded = new tf.GraphModel({ load: async () => artifacts as unknown as tf.io.ModelArtifacts });
    assert.throws(compress(unloaded), { name: "QuantError", code: "invalid-model", message });
  });
});

describe("NaiveQuantizer's errors", () => {
  const compress = (model: unknown) => () => new NaiveQuantizer().compress(model as tf.LayersModel);

  for (const [value, index] of [
    [Number.NaN, 4],
    [Number.POSITIVE_INFINITY, 0],
    [Number.NEGATIVE_INFINITY, 5],
  ] as const) {
    it(`${value} in a weight names tensor and index, leaves no tensor behind`, () => {
      const model = tf.sequential({ layers: [tf.layers.dense({ name: "fc", units: 2, inputShape: [3] })] });
      const kernel = values(6, 1);
      kernel[index] = value;
      model.setWeights([tf.tensor2d(kernel, [3, 2]), tf.zeros([2])]);
      const { numTensors } = tf.memory();
      for (const granularity of ["perChannel", "perTensor"] as const) {
        assert.throws(() => new NaiveQuantizer({ granularity }).compress(model), {
          name: "QuantError",
          code: "non-finite",
          message: `NaiveQuantizer.compress: "fc/kernel": expected finite values, got ${value} at index ${index}`,
        });
      }
      assert.equal(tf.memory().numTensors, numTensors);
    });
  }

  it("a model without weights of rank ≥ 2", () => {
    const message = (count: number): string =>
      `NaiveQuantizer.compress: expected a model with weights of rank ≥ 2, got none among ${count} weights`;
    const flat = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [2, 2] })] });
    assert.throws(compress(flat), { name: "QuantError", code: "invalid-model", message: message(0) });
    const norm = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [2] })] });
    assert.throws(compress(norm), { name: "QuantError", code: "invalid-model", message: message(4) });
  });

  it("weight names that are not unique", () => {
    const dense = (): tf.layers.Layer => tf.layers.dense({ name: "same", units: 2, inputShape: [2] });
    const model = tf.sequential({ layers: [dense(), tf.sequential({ layers: [dense()] })] });
    assert.throws(compress(model), {
      name: "QuantError",
      code: "invalid-model",
      message:
        'NaiveQuantizer.compress: expected weight names once each, got "same/kernel" twice; give the layers different names',
    });
  });

  it("a layer whose weights would get other names when rebuilt", () => {
    const dense = tf.layers.dense({ name: "fc", units: 2 });
    dense.apply(tf.input({ shape: [3] }));
    const model = tf.sequential({
      layers: [tf.layers.timeDistributed({ name: "each", layer: dense, inputShape: [2, 3] })],
    });
    const { numTensors } = tf.memory();
    assert.throws(compress(model), {
      name: "QuantError",
      code: "invalid-model",
      message:
        'NaiveQuantizer.compress: expected a weight "fc/kernel" [3, 2] in the model made from its configuration, got none; tfjs could not load this model either',
    });
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it("a layer whose configuration lacks its shape: tfjs does not write SeparableConv2D's multiplier", () => {
    const layer = tf.layers.separableConv2d({
      name: "sep",
      filters: 2,
      kernelSize: 2,
      depthMultiplier: 2,
      inputShape: [4, 4, 3],
    });
    const model = tf.sequential({ layers: [layer] });
    const { numTensors } = tf.memory();
    assert.throws(compress(model), {
      name: "QuantError",
      code: "invalid-model",
      message:
        'NaiveQuantizer.compress: expected a weight "sep/depthwise_kernel" [2, 2, 3, 2] in the model made from its configuration, got [2, 2, 3, 1]; tfjs could not load this model either',
    });
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it("anything but a model", () => {
    const expected = "NaiveQuantizer.compress: expected a tf.LayersModel or tf.GraphModel of the same @tensorflow/tfjs";
    for (const [value, text] of [
      [null, "[object Null]"],
      [undefined, "[object Undefined]"],
      [{}, "[object Object]"],
      ["model.json", "[object String]"],
    ]) {
      assert.throws(compress(value), { name: "TypeError", message: `${expected}, got ${text}` });
    }
  });

  it("wrong options", () => {
    const make = (options: unknown) => () => new NaiveQuantizer(options as NaiveOptions);
    const wrong = (message: string, name: string) => ({ name, message: `NaiveQuantizer: expected ${message}` });
    for (const bits of [1, 9, 0, -8, 4.5, Number.NaN, "8"]) {
      assert.throws(make({ bits }), wrong(`bits in 2…8, got ${bits}`, "RangeError"));
      assert.throws(make({ bits: 8, weightBits: bits }), wrong(`bits in 2…8, got ${bits}`, "RangeError"));
    }
    assert.throws(
      make({ granularity: "perAxis" }),
      wrong('granularity perChannel or perTensor, got "perAxis"', "RangeError"),
    );
    assert.throws(make({ bit: 8 }), wrong('options among bits, weightBits, granularity, got "bit"', "TypeError"));
    assert.throws(make(8), wrong("options or a config list, got 8", "TypeError"));
    assert.throws(make(null), wrong("options or a config list, got null", "TypeError"));
  });

  it("report before compress, and the last report after a compress that failed", () => {
    const quantizer = new NaiveQuantizer();
    assert.throws(() => quantizer.report(), {
      name: "QuantError",
      code: "invalid-model",
      message: "NaiveQuantizer.report: expected a compressed model, got none; call compress first",
    });
    quantizer.compress(SAMPLE_MODELS[0].build());
    const report = quantizer.report();
    assert.throws(() => quantizer.compress({} as tf.LayersModel), TypeError);
    assert.equal(quantizer.report(), report);
  });
});

/** A layer outside tfjs with a bias of rank 2. */
class Scaling extends tf.layers.Layer {
  static className = "Scaling";
  override build(shape: tf.Shape): void {
    this.addWeight("factors", [1, shape[1] as number], "float32", tf.initializers.ones());
    this.addWeight("bias", [1, shape[1] as number], "float32", tf.initializers.zeros());
    this.built = true;
  }
  override call(inputs: tf.Tensor[]): tf.Tensor {
    const [factors, bias] = this.getWeights();
    return tf.tidy(() => tf.add(tf.mul(inputs[0], factors), bias));
  }
}
tf.serialization.registerClass(Scaling);

function assign(variable: tf.LayerVariable, data: Float32Array): void {
  const tensor = tf.tensor(data, variable.shape as number[]);
  variable.write(tensor);
  tensor.dispose();
}

interface StoredParams {
  readonly scale: number | number[];
  readonly axis?: number;
}

function paramsOf(model: tf.LayersModel): Record<string, StoredParams> {
  return (model.getUserDefinedMetadata() as { bitpress: { weights: Record<string, StoredParams> } }).bitpress.weights;
}

function checkSample(
  { build, input: makeInput, channels }: SampleModel,
  options: NaiveOptions,
  bits = options.bits ?? 8,
): void {
  const channelsOf = (name: string): Channels | undefined =>
    options.granularity === "perTensor" ? undefined : channels[name];
  const model = build();
  const input = makeInput();
  const floats = weightsOf(model);
  const shapes = new Map(model.weights.map((variable) => [variable.originalName, variable.shape as number[]]));
  const floatOutputs = predictions(model, input);
  const { numTensors } = tf.memory();

  const quantizer = new NaiveQuantizer(options);
  const small = quantizer.compress(model);

  // Codes and scales: the very weights named, on the right axis; the others bit for bit.
  const params = paramsOf(small);
  assert.deepEqual(Object.keys(params).sort(), Object.keys(channels).sort());
  const found = weightsOf(small);
  assert.deepEqual([...found.keys()].sort(), [...floats.keys()].sort());
  const expected = new Map(
    Object.keys(channels).map((name) => [
      name,
      expectedCodes(floats.get(name)!, shapes.get(name)!, channelsOf(name), bits),
    ]),
  );
  for (const [name, data] of found) {
    assert.deepEqual(bitsOf(data), bitsOf(expected.get(name)?.values ?? floats.get(name)!), name);
  }
  for (const [name, { scales }] of expected) assert.deepEqual([params[name].scale].flat(), [...scales], name);

  // The old model is unharmed.
  for (const [name, data] of weightsOf(model)) assert.deepEqual(bitsOf(data), bitsOf(floats.get(name)!), name);
  assert.deepEqual(predictions(model, input), floatOutputs);

  // The new one predicts exactly what the old architecture does with the dequantized weights set by hand.
  const numTensorsBefore = tf.memory().numTensors;
  const byHand = build();
  for (const variable of byHand.weights) {
    const data = expected.get(variable.originalName)?.values;
    if (data !== undefined) assign(variable, data);
  }
  const outputs = predictions(small, input);
  assert.deepEqual(outputs, predictions(byHand, input));
  assert.notDeepEqual(outputs, floatOutputs);
  byHand.dispose();
  // tfjs itself does not dispose of layers that were applied more than once.
  const leftByTfjs = tf.memory().numTensors - numTensorsBefore;

  checkReport(quantizer.report(), floats, shapes, expected, bits);
  small.dispose();
  assert.equal(tf.memory().numTensors, numTensors + 2 * leftByTfjs);
}

function checkReport(
  report: Report,
  floats: ReadonlyMap<string, Float32Array>,
  shapes: ReadonlyMap<string, number[]>,
  expected: ReadonlyMap<string, { codes: Int8Array; scales: Float32Array; values: Float32Array }>,
  bits: number,
): void {
  let bytesBefore = 0;
  let bytesAfter = 0;
  assert.deepEqual(
    report.tensors.map(({ name }) => name),
    [...floats.keys()],
  );
  for (const row of report.tensors) {
    const float = floats.get(row.name)!;
    const quantized = expected.get(row.name);
    assert.deepEqual(row.shape, shapes.get(row.name));
    assert.equal(row.bytesBefore, 4 * float.length);
    bytesBefore += row.bytesBefore;
    bytesAfter += row.bytesAfter;
    if (quantized === undefined) {
      assert.deepEqual(
        [row.bits, row.bytesAfter, row.sqnr, row.scales],
        [32, 4 * float.length, Number.POSITIVE_INFINITY, undefined],
      );
      continue;
    }
    const { codes, scales, values: back } = quantized;
    // Which of these it is decides how files store it: tests/arrays/quantize-tfjs.test.ts.
    const stored = [codes.length + 4 * scales.length, codes.length + 6 * scales.length, row.bytesBefore];
    assert.equal(row.bits, bits);
    assert.ok(stored.includes(row.bytesAfter), `${row.name}: ${row.bytesAfter}`);
    assert.deepEqual(row.scales, [Math.min(...scales), Math.max(...scales)]);
    const power = (x: Float32Array): number => x.reduce((sum, value) => sum + value * value, 0);
    const noise = float.reduce((sum, value, i) => sum + (value - back[i]) ** 2, 0);
    assert.equal(row.sqnr, 10 * Math.log10(power(float) / noise));
  }
  assert.deepEqual([report.bytesBefore, report.bytesAfter], [bytesBefore, bytesAfter]);
}

/** @param quantized the constants to be quantized; per channel where `channels` has them, else per tensor */
function checkGraph(
  artifacts: ModelArtifacts,
  input: tf.Tensor,
  channels: Readonly<Record<string, Channels>>,
  quantized: readonly string[],
  options: NaiveOptions,
): void {
  const floats = storedFloats(artifacts);
  const specs = artifacts.weightSpecs!.filter(({ dtype }) => dtype === "float32");
  const shapes = new Map(specs.map(({ name, shape }) => [name, [...shape]]));
  const model = loadGraph(artifacts);
  const floatOutputs = predictions(model, input);
  const { numTensors } = tf.memory();

  const quantizer = new NaiveQuantizer(options);
  const small = quantizer.compress(model);

  const expected = new Map(
    quantized.map((name) => [name, expectedCodes(floats.get(name)!, shapes.get(name)!, channels[name])]),
  );
  for (const { name } of specs) {
    const [tensor] = small.weights[name] as tf.Tensor[];
    const data = expected.get(name)?.values ?? floats.get(name)!;
    assert.deepEqual(bitsOf(Float32Array.from(tensor.dataSync())), bitsOf(data), name);
    const [old] = model.weights[name] as tf.Tensor[];
    assert.deepEqual(bitsOf(Float32Array.from(old.dataSync())), bitsOf(floats.get(name)!), name);
  }
  assert.deepEqual(predictions(model, input), floatOutputs);

  const byHand = splitWeights(artifacts).map((weight) => {
    const data = expected.get(weight.spec.name)?.values;
    return data === undefined ? weight : floatWeight(weight.spec.name, weight.spec.shape, data);
  });
  const reference = loadGraph({ ...artifacts, ...joinWeights(byHand) });
  const outputs = predictions(small, input);
  assert.deepEqual(outputs, predictions(reference, input));
  assert.notDeepEqual(outputs, floatOutputs);
  reference.dispose();

  checkReport(quantizer.report(), floats, shapes, expected, 8);
  small.dispose();
  assert.equal(tf.memory().numTensors, numTensors);
  model.dispose();
}
