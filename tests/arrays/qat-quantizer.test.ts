import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { NaiveQuantizer } from "../../src/arrays/naive-quantizer.js";
import { QATQuantizer, type QATTraining } from "../../src/arrays/qat-quantizer.js";
import type { QuantizedTensor, StateDict } from "../../src/core/tensor.js";
import { chooseQuantParams } from "../../src/reference/choose-quant-params.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../../src/wasm/fake-quantize-gradient.js";

/** Values in ±`size`, the same in every run. */
function values(length: number, size = 1, from = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => size * Math.sin(1.7 * (i + from) + 0.3));
}

const stateDict = (): StateDict => ({
  "fc1.weight": { data: values(12), shape: [3, 4] },
  "fc1.bias": { data: values(3, 0.5), shape: [3] },
  "bn.weight": { data: values(3), shape: [3] },
  "fc2.weight": { data: values(6, 2), shape: [2, 3] },
  "fc2.bias": { data: values(2, 0.25), shape: [2] },
});

/** A tensor rounded as NaiveQuantizer does it. */
function naive({ data, shape }: StateDict[string], bits = 8): Float32Array {
  const codes = new NaiveQuantizer({ bits }).compress({ w: { data, shape } }).w as QuantizedTensor;
  return dequantize(codes.data, codes.params, { shape });
}

const range = (qat: QATTraining, layer: string, target: "input" | "output") => qat.toJSON().ranges[layer][target];

test("weights lie on the grid of their current values: the hook reads the state dict's own arrays", () => {
  const state = stateDict();
  const { fc1 } = new QATQuantizer().compress(state).layers;
  const { data } = state["fc1.weight"];
  assert.deepEqual(fc1.weight(), naive(state["fc1.weight"]));
  for (let i = 0; i < data.length; i++) data[i] = 3 * data[i] - 0.1;
  assert.deepEqual(fc1.weight(), naive(state["fc1.weight"]));
  assert.notEqual(fc1.weight(), data);
});

test("activations: the first batch initialises the range, later ones move it; values are rounded to the moved range", () => {
  const qat = new QATQuantizer({ decay: 0.75 }).compress(stateDict());
  const { fc1 } = qat.layers;
  const first = Float32Array.of(-1, 0.3, 2);
  const second = Float32Array.of(-3, 0.4, 1.1);
  const rounded = (x: Float32Array, min: number, max: number): Float32Array =>
    fakeQuantize(x, chooseQuantParams({ min, max }, { bits: 8 }));
  assert.deepEqual(fc1.input(first), rounded(first, -1, 2));
  qat.step();
  const [min, max] = [-1.5, Math.fround(0.75 * 2 + 0.25 * Math.fround(1.1))];
  assert.deepEqual(fc1.input(second), rounded(second, min, max));
  assert.deepEqual(range(qat, "fc1", "input"), { count: 2, min: [min], max: [max] });
  assert.deepEqual(second, Float32Array.of(-3, 0.4, 1.1));
});

test("gradients pass straight through where the last forward's code was on the grid", () => {
  const qat = new QATQuantizer({ decay: 0.5 }).compress(stateDict());
  const { fc1 } = qat.layers;
  const x = Float32Array.of(-2, 0.5, 8);
  fc1.input(Float32Array.of(-1, 1));
  fc1.input(x); // range [-1.5, 4.5]
  const params = chooseQuantParams({ min: -1.5, max: 4.5 }, { bits: 8 });
  const dy = Float32Array.of(1, 2, 3);
  assert.deepEqual(fc1.inputGradient(dy), Float32Array.of(0, 2, 0));
  assert.deepEqual(fc1.inputGradient(dy), fakeQuantizeGradient(dy, x, params));
  fc1.output(x);
  assert.deepEqual(fc1.gradient(dy), dy);
  fc1.weight();
  const dw = values(12);
  assert.deepEqual(fc1.weightGradient(dw), dw);
});

test("warm-up tracks ranges and touches nothing: values and gradients are the given arrays", () => {
  const state = stateDict();
  const qat = new QATQuantizer({ quantStartStep: 2 }).compress(state);
  const { fc1 } = qat.layers;
  for (let step = 0; step < 2; step++) {
    const x = values(6, step + 1);
    assert.equal(fc1.input(x), x);
    assert.equal(fc1.inputGradient(x), x);
    assert.equal(fc1.weight(), state["fc1.weight"].data);
    assert.equal(fc1.weightGradient(x), x);
    assert.equal(fc1.bias(), state["fc1.bias"].data);
    assert.equal(range(qat, "fc1", "input")?.count, step + 1);
    qat.step();
  }
  const x = values(6);
  assert.notDeepEqual(fc1.input(x), x);
  assert.notDeepEqual(fc1.weight(), state["fc1.weight"].data);
});

test("freezeObserversStep stops the ranges", () => {
  const qat = new QATQuantizer({ freezeObserversStep: 1 }).compress(stateDict());
  const { fc1 } = qat.layers;
  fc1.input(Float32Array.of(-1, 1));
  qat.step();
  const frozen = chooseQuantParams({ min: -1, max: 1 }, { bits: 8 });
  const x = Float32Array.of(-5, 0.123, 5);
  assert.deepEqual(fc1.input(x), fakeQuantize(x, frozen));
  assert.deepEqual(fc1.inputGradient(x), fakeQuantizeGradient(x, x, frozen));
  assert.deepEqual(range(qat, "fc1", "input"), { count: 1, min: [-1], max: [1] });
});

test("evaluation observes nothing and quantizes even in warm-up; before any data it is an error", () => {
  const qat = new QATQuantizer({ quantStartStep: 10 }).compress(stateDict());
  const { fc1 } = qat.layers;
  qat.training = false;
  assert.throws(() => fc1.input(values(4)), {
    name: "QuantError",
    code: "not-calibrated",
    message:
      'QATQuantizer: "fc1".input has seen no data; call it in training before evaluation and before freezeObserversStep',
  });
  qat.training = true;
  fc1.input(Float32Array.of(-1, 1));
  qat.training = false;
  const x = Float32Array.of(-2, 0.123, 2);
  assert.deepEqual(fc1.input(x), fakeQuantize(x, chooseQuantParams({ min: -1, max: 1 }, { bits: 8 })));
  assert.equal(range(qat, "fc1", "input")?.count, 1);
  assert.equal(qat.training, false);
});

test("the bias lies on the grid of the products in evaluation and from freezeBatchNormStep on", () => {
  const state = stateDict();
  const qat = new QATQuantizer({ freezeBatchNormStep: 1 }).compress(state);
  const { fc1 } = qat.layers;
  const { data } = state["fc1.bias"];
  fc1.input(Float32Array.of(-1, 1));
  assert.equal(fc1.bias(), data);
  const inputScale = Math.fround(2 / 255);
  const onGrid = data.map((b, c) => {
    const row = state["fc1.weight"].data.subarray(4 * c, 4 * c + 4);
    const step = inputScale * Math.fround(Math.max(...row.map(Math.abs)) / 127);
    return Math.round(b / step) * step;
  });
  qat.training = false;
  assert.deepEqual(fc1.bias(), onGrid);
  qat.training = true;
  qat.step();
  assert.deepEqual(fc1.bias(), onGrid);
  // Without a grid for its input, a layer's products have none either.
  assert.equal(qat.layers.fc2.bias(), state["fc2.bias"].data);
});

test("a bias too large for its grid raises the scale of its channel's weights", () => {
  const state = {
    "fc.weight": { data: Float32Array.of(2 ** -20, 2 ** -20), shape: [2, 1] },
    "fc.bias": { data: Float32Array.of(2 ** 10, 2 ** -10), shape: [2] },
  };
  const qat = new QATQuantizer().compress(state);
  qat.layers.fc.input(Float32Array.of(-1, 255 / 128 - 1)); // scale 1/128
  qat.training = false;
  const { params } = qat.exportModel().weights["fc.weight"] as QuantizedTensor;
  assert.deepEqual(params.scale, Float32Array.of(2 ** (10 + 7 - 30), 2 ** -20 / 127));
  assert.equal(qat.layers.fc.bias()[0], 2 ** 10);
  assert.equal(qat.layers.fc.weight()[0], 0);
});

test("config lists quantize exactly what they name; a step of an entry wins over the schedule's", () => {
  const state = stateDict();
  const qat = new QATQuantizer(
    [
      {
        op_names: ["fc1"],
        quant_types: ["weight", "output"],
        quant_bits: { weight: 4, output: 8 },
        quant_start_step: 1,
      },
      { op_names: ["bn"], quant_types: ["output"], quant_bits: 8, quant_dtype: "uint" },
    ],
    { quantStartStep: 3, decay: 0 },
  ).compress(state);
  const { fc1, bn, fc2 } = qat.layers;
  const x = values(6);
  assert.equal(fc1.input(x), x);
  assert.equal(fc2.weight(), state["fc2.weight"].data);
  assert.equal(fc2.output(x), x);
  assert.equal(bn.weight(), state["bn.weight"].data);
  assert.equal(fc1.output(x), x);
  assert.equal(bn.output(x), x);
  qat.step();
  assert.deepEqual(fc1.weight(), naive(state["fc1.weight"], 4));
  assert.notDeepEqual(fc1.output(x), x);
  assert.equal(bn.output(x), x);
  assert.deepEqual(qat.toJSON().ranges, {
    fc1: { output: { count: 2, min: [Math.min(...x)], max: [Math.max(...x)] } },
    bn: { output: { count: 2, min: [Math.min(...x)], max: [Math.max(...x)] } },
  });
});

test("an empty config list quantizes nothing", () => {
  const state = stateDict();
  const qat = new QATQuantizer([]).compress(state);
  const x = values(4);
  assert.deepEqual([qat.layers.fc1.input(x), qat.layers.fc1.gradient(x)], [x, x]);
  assert.equal(qat.layers.fc1.weight(), state["fc1.weight"].data);
  assert.deepEqual(qat.exportModel(), { weights: state, calibration: {} });
});

test("exportModel gives the weights as NaiveQuantizer does, and a calibration that JSON holds", () => {
  const state = stateDict();
  const qat = new QATQuantizer({ weightBits: 4, firstLastBits: 8, activationBits: 6 }).compress(state);
  const { fc1, fc2 } = qat.layers;
  fc1.input(Float32Array.of(-1, 1));
  fc2.input(Float32Array.of(0, 3));
  fc2.output(Float32Array.of(-2, 2));
  const { weights, calibration } = qat.exportModel();
  assert.deepEqual(weights, new NaiveQuantizer().compress(state));
  assert.equal(weights["bn.weight"], state["bn.weight"]);
  assert.deepEqual(JSON.parse(JSON.stringify(calibration)), calibration);
  assert.deepEqual(Object.keys(calibration), ["fc1", "fc2"]);
  // fc1.output was never called.
  assert.deepEqual(Object.keys(calibration.fc1), ["weight", "_input_0"]);
  assert.deepEqual(calibration.fc2._input_0, {
    scale: [Math.fround(3 / 63)],
    zero_point: [-32],
    quant_dtype: "int6",
    quant_scheme: "affine",
    quant_bits: 6,
    qmin: -32,
    qmax: 31,
    tracked_max: [3],
    tracked_min: [0],
  });
  const { scale } = (weights["fc2.weight"] as QuantizedTensor).params;
  assert.deepEqual(calibration.fc2.weight?.scale, Array.from(scale as Float32Array));
});

test("exportModel before any data, and a layer whose hooks were never called, are errors", () => {
  const qat = new QATQuantizer().compress(stateDict());
  qat.layers.fc1.input(values(4));
  assert.throws(() => qat.exportModel(), {
    code: "not-calibrated",
    message: 'QATQuantizer.exportModel: layer "fc2" has seen no data; call its input() or output() in training',
  });
});

test("a training goes on from its state as if it had never stopped", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 4 }), (stopAt, quantStartStep) => {
      const options = { quantStartStep, freezeObserversStep: 5, freezeBatchNormStep: 4, decay: 0.9 };
      const run = (steps: readonly number[], qat: QATTraining): Float32Array[] =>
        steps.flatMap((n) => {
          const { fc1, fc2 } = qat.layers;
          const results = [fc1.input(values(8, n + 1, n)), fc1.weight(), fc1.bias(), fc2.output(values(4, 9 - n, n))];
          qat.step();
          return results;
        });
      const steps = [0, 1, 2, 3, 4, 5, 6];
      const whole = run(steps, new QATQuantizer(options).compress(stateDict()));
      const first = new QATQuantizer(options).compress(stateDict());
      const begun = run(steps.slice(0, stopAt), first);
      const resume = JSON.parse(JSON.stringify(first));
      const second = new QATQuantizer(options).compress(stateDict(), { resume });
      assert.deepEqual(second.toJSON(), resume);
      assert.deepEqual([...begun, ...run(steps.slice(stopAt), second)], whole);
    }),
  );
});

test("tfjs's layout: dense channels are the last axis, a depthwise kernel is viewed as [kh, kw, 1, in·mult]", () => {
  const state = {
    "fc.weight": { data: values(6), shape: [3, 2] },
    "dw.weight": { data: values(24), shape: [2, 2, 3, 2], type: "DepthwiseConv2D" },
  };
  const qat = new QATQuantizer([{ op_types: ["default"], quant_types: ["weight"], quant_bits: 8 }]).compress(state, {
    layout: "tfjs",
  });
  const { weights } = qat.exportModel();
  assert.deepEqual(weights, new NaiveQuantizer().compress(state, { layout: "tfjs" }));
  const codes = weights["dw.weight"] as QuantizedTensor;
  assert.deepEqual(qat.layers.dw.weight(), dequantize(codes.data, codes.params, { shape: codes.shape }));
  assert.deepEqual(codes.shape, [2, 2, 1, 6]);
});

test("errors: one clear message each", () => {
  const compress = (state: unknown, options = {}): unknown => new QATQuantizer().compress(state as StateDict, options);
  const { layers } = new QATQuantizer().compress({ ...stateDict(), lone: { data: values(2), shape: [2] } });
  const nan = new QATQuantizer().compress({ "fc.weight": { data: Float32Array.of(1, Number.NaN), shape: [1, 2] } });
  for (const [call, name, message] of [
    [() => compress({}), "QuantError", "QATQuantizer.compress: expected at least one tensor, got none"],
    [
      () => compress({ a: { data: values(2), shape: [3] } }),
      "RangeError",
      'QATQuantizer.compress: "a": expected 3 elements for shape [3], got 2',
    ],
    [
      () => compress(stateDict(), { layout: "keras" }),
      "TypeError",
      'QATQuantizer.compress: expected layout "pytorch" or "tfjs", got keras',
    ],
    [
      () => compress({ "r.hh": { data: values(4), shape: [2, 2] }, "r.ih": { data: values(4), shape: [2, 2] } }),
      "QuantError",
      'QATQuantizer.compress: layer "r": expected one weight of rank ≥ 2 to quantize, got "r.hh", "r.ih"; exclude it in a config list, { op_names: ["r"], exclude: true }',
    ],
    [
      () => layers.lone.weight(),
      "TypeError",
      'QATQuantizer: "lone".weight: expected a tensor "lone.weight" in the state dict, got none',
    ],
    [
      () => layers.bn.bias(),
      "TypeError",
      'QATQuantizer: "bn".bias: expected a tensor "bn.bias" in the state dict, got none',
    ],
    [
      () => layers.fc1.gradient(values(2)),
      "QuantError",
      'QATQuantizer: "fc1".output: expected values before their gradient, got none',
    ],
    [
      () => layers.fc1.weightGradient(values(12)),
      "QuantError",
      'QATQuantizer: "fc1".weight: expected a call for values before their gradient, got none',
    ],
    [
      () => layers.fc1.input(Float32Array.of(0, Number.POSITIVE_INFINITY)),
      "QuantError",
      'QATQuantizer: "fc1".input: expected finite values, got Infinity at index 1',
    ],
    [
      () => nan.layers.fc.weight(),
      "QuantError",
      'QATQuantizer: "fc".weight: expected finite values, got NaN at index 1',
    ],
  ] as const) {
    assert.throws(call, { name, message });
  }
});

test("report gives bytes and SQNR of the weights as they are now", () => {
  const state = {
    "fc.weight": { data: Float32Array.of(1.27, -0.635, 0.5, 0.25), shape: [1, 4] },
    "fc.bias": { data: Float32Array.of(1), shape: [1] },
  };
  const qat = new QATQuantizer({ bits: 8 }).compress(state);
  const { tensors, bytesBefore, bytesAfter } = qat.report();
  assert.deepEqual(
    tensors.map(({ name, shape, bits, bytesBefore, bytesAfter }) => [name, shape, bits, bytesBefore, bytesAfter]),
    [
      ["fc.weight", [1, 4], 8, 16, 8],
      ["fc.bias", [1], 32, 4, 4],
    ],
  );
  assert.deepEqual([bytesBefore, bytesAfter], [20, 12]);
  const before = tensors[0].sqnr;
  state["fc.weight"].data.fill(1.27);
  assert.ok(before > 40 && before < 60 && qat.report().tensors[0].sqnr > before);
});
