import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import {
  type DoReFaLayerInfo,
  type DoReFaOptions,
  type DoReFaTrainingOptions,
  dorefaPlan,
} from "../../src/quantizers/dorefa-options.js";

const CHAIN: readonly DoReFaLayerInfo[] = [
  { name: "conv1", type: "Conv2D", hasWeights: true, isFirst: true, isLast: false },
  { name: "bn", type: "BatchNormalization", hasWeights: false, isFirst: false, isLast: false },
  { name: "conv2", type: "Conv2D", hasWeights: true, isFirst: false, isLast: false },
  { name: "fc1", type: "Dense", hasWeights: true, isFirst: false, isLast: false },
  { name: "fc2", type: "Dense", hasWeights: true, isFirst: false, isLast: true },
];
const UNTOUCHED = { weight: 32, input: 32, output: 32, gradient: 32 };

const layersOf = (config: DoReFaOptions | ConfigList, training?: DoReFaTrainingOptions) =>
  dorefaPlan("test", config, training).layersOf(CHAIN);

describe("dorefaPlan with options", () => {
  it("the defaults: 8 bits but for the ends, seed 0, activations in [0, 1]", () => {
    const { seed, activation } = dorefaPlan("test", {});
    assert.deepEqual({ seed, activation }, { seed: 0, activation: { bound: 1, sign: false } });
    assert.deepEqual(layersOf({}), [
      { ...UNTOUCHED, name: "conv1" },
      { ...UNTOUCHED, name: "bn" },
      { name: "conv2", weight: 8, input: 8, output: 32, gradient: 8, tensor: 0 },
      { name: "fc1", weight: 8, input: 8, output: 32, gradient: 8, tensor: 1 },
      { ...UNTOUCHED, name: "fc2" },
    ]);
  });

  it("the specific bits win over bits; tensors have numbers even where nothing is rounded", () => {
    const [, , conv2, fc1] = layersOf({ bits: 32, weightBits: 1, activationBits: 2 });
    assert.deepEqual(conv2, { name: "conv2", weight: 1, input: 2, output: 32, gradient: 32, tensor: 0 });
    assert.equal(fc1.tensor, 1);
    assert.equal(layersOf({ bits: 4, gradientBits: 6 })[2].gradient, 6);
  });

  it("firstLastBits: the ends' weights, what enters the last, and their gradients; not what enters the first", () => {
    const [conv1, , conv2, , fc2] = layersOf({ bits: 2, firstLastBits: 8 });
    assert.deepEqual(conv1, { name: "conv1", weight: 8, input: 32, output: 32, gradient: 2, tensor: 0 });
    assert.equal(conv2.tensor, 1);
    assert.deepEqual(fc2, { name: "fc2", weight: 8, input: 8, output: 32, gradient: 2, tensor: 3 });
  });

  it("seed, bound and sign are read; the bound is a float32", () => {
    const { seed, activation } = dorefaPlan("test", { seed: 7, activationBound: 0.1, signActivations: true });
    assert.deepEqual({ seed, activation }, { seed: 7, activation: { bound: Math.fround(0.1), sign: true } });
  });

  it("nothing between first and last is an error that names the layers", () => {
    const message = (found: string) =>
      `compress: expected a layer with weights between the first and the last, which stay as they are, got ${found}; give firstLastBits or a config list`;
    const ends = [CHAIN[0], CHAIN[4]];
    const plan = dorefaPlan("test", {});
    assert.throws(() => plan.layersOf(ends, "compress"), { code: "invalid-model", message: message('"conv1", "fc2"') });
    assert.throws(() => plan.layersOf([CHAIN[1]], "compress"), { code: "invalid-model", message: message("none") });
    assert.equal(dorefaPlan("test", { firstLastBits: 4 }).layersOf(ends)[0].weight, 4);
  });
});

describe("dorefaPlan with a config list", () => {
  it("exactly the targets that an entry names; gradients where that is the weight, even at 32 bits", () => {
    const list: ConfigList = [
      { op_types: ["default"], quant_types: ["weight", "input"], quant_bits: { weight: 1, input: 2 } },
      { op_names: ["fc1"], quant_types: ["output"], quant_bits: 3 },
      { op_names: ["fc2"], quant_types: ["weight"], quant_bits: 32 },
      { op_names: ["conv1"], exclude: true },
    ];
    assert.deepEqual(layersOf(list, { gradientBits: 4 }), [
      { ...UNTOUCHED, name: "conv1" },
      { ...UNTOUCHED, name: "bn" },
      { name: "conv2", weight: 1, input: 2, output: 32, gradient: 4, tensor: 0 },
      { name: "fc1", weight: 32, input: 32, output: 3, gradient: 32 },
      { name: "fc2", weight: 32, input: 32, output: 32, gradient: 4, tensor: 1 },
    ]);
    assert.equal(layersOf(list)[2].gradient, 32);
  });

  it("names that the model lacks are an error, in the words of the place given", () => {
    const plan = dorefaPlan("test", [{ op_names: ["fc9"], quant_types: ["weight"], quant_bits: 4 }]);
    assert.throws(() => plan.layersOf([CHAIN[4]], "compress"), {
      code: "invalid-config",
      message: 'compress: config entry 0, "op_names": expected names of layers ("fc2"), got "fc9"',
    });
  });
});

describe("dorefaPlan: bad options, one clear error each", () => {
  const choices =
    "bits, weightBits, activationBits, firstLastBits, gradientBits, seed, activationBound, signActivations";
  const cases: readonly (readonly [object, string, string])[] = [
    [{ bit: 4 }, "TypeError", `test: expected options among ${choices}, got "bit"`],
    [{ bits: 17 }, "RangeError", "test: bits: expected bits in 1…16, or 32 for untouched, got 17"],
    [{ weightBits: 0 }, "RangeError", "test: weightBits: expected bits in 1…16, or 32 for untouched, got 0"],
    [
      { activationBits: 2.5 },
      "RangeError",
      "test: activationBits: expected bits in 1…16, or 32 for untouched, got 2.5",
    ],
    [{ gradientBits: "4" }, "RangeError", "test: gradientBits: expected bits in 1…16, or 32 for untouched, got 4"],
    [{ firstLastBits: 24 }, "RangeError", "test: firstLastBits: expected bits in 1…16, or 32 for untouched, got 24"],
    [{ seed: -1 }, "RangeError", "test: expected an integer seed in [0, 2^32), got -1"],
    [{ activationBound: 0 }, "RangeError", "test: expected activationBound in [2^-100, 2^100], got 0"],
    [{ signActivations: 1 }, "TypeError", "test: expected signActivations to be true or false, got 1"],
  ];
  for (const [options, name, message] of cases) {
    it(JSON.stringify(options), () => assert.throws(() => dorefaPlan("test", options), { name, message }));
  }

  it("null; bits beside a config list", () => {
    assert.throws(() => dorefaPlan("test", null as unknown as DoReFaOptions), {
      name: "TypeError",
      message: "test: expected options or a config list, got null",
    });
    assert.throws(() => dorefaPlan("test", [], { bits: 4 } as DoReFaTrainingOptions), {
      name: "TypeError",
      message: 'test: expected options among gradientBits, seed, activationBound, signActivations, got "bits"',
    });
  });
});
