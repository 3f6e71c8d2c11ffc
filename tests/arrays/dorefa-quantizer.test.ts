import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DoReFaQuantizer, type DoReFaState, type DoReFaTraining } from "../../src/arrays/dorefa-quantizer.js";
import { isQuantized, type QuantizedTensor, type StateDict } from "../../src/core/tensor.js";
import { readSafetensors } from "../../src/formats/safetensors/read-safetensors.js";
import { writeSafetensors } from "../../src/formats/safetensors/write-safetensors.js";
import type { ConfigList } from "../../src/quantizers/config-list.js";
import { dequantize } from "../../src/wasm/dequantize.js";
import { dorefaActivations } from "../../src/wasm/dorefa-activations.js";
import { dorefaActivationsGradient } from "../../src/wasm/dorefa-activations-gradient.js";
import { dorefaGradients } from "../../src/wasm/dorefa-gradients.js";
import { dorefaWeights } from "../../src/wasm/dorefa-weights.js";
import { dorefaWeightsGradient } from "../../src/wasm/dorefa-weights-gradient.js";
import { noise } from "../contracts/geometries.js";

const stateDict = (): StateDict => ({
  "conv.weight": { data: noise(18, 1), shape: [2, 1, 3, 3] },
  "bn.weight": { data: noise(2, 2), shape: [2] },
  "fc1.weight": { data: noise(12, 3), shape: [3, 4] },
  "fc1.bias": { data: noise(3, 4), shape: [3] },
  "fc2.weight": { data: noise(6, 5), shape: [2, 3] },
  "fc3.weight": { data: noise(4, 6), shape: [2, 2] },
});

describe("DoReFaQuantizer's hooks", () => {
  const options = { weightBits: 2, activationBits: 3, gradientBits: 4, seed: 9 };

  it("are the functions, bit for bit, with the layer's number and the step as source of the noise", () => {
    const state = stateDict();
    const dorefa = new DoReFaQuantizer(options).compress(state);
    for (let step = 0; step < 3; step++) {
      for (const [tensor, name] of ["fc1", "fc2"].entries()) {
        const { [name]: layer } = dorefa.layers;
        const { data } = state[`${name}.weight`];
        const [x, dy, dw] = [noise(20, step), noise(20, step + 50), noise(data.length, step + 90)];
        assert.deepEqual(layer.weight(), dorefaWeights(data, 2));
        assert.deepEqual(layer.input(x), dorefaActivations(x, 3));
        assert.deepEqual(layer.inputGradient(dy), dorefaActivationsGradient(dy, x, 3));
        assert.deepEqual(layer.weightGradient(dw), dorefaWeightsGradient(dw, data, 2));
        const source = { batch: 4, seed: 9, step, tensor };
        assert.deepEqual(layer.gradient(dy, { batch: 4 }), dorefaGradients(dy, 4, source));
        assert.notDeepEqual(
          layer.gradient(dy, { batch: 4 }),
          dorefaGradients(dy, 4, { ...source, tensor: tensor + 1 }),
        );
        assert.equal(layer.output(x), x);
        assert.equal(layer.outputGradient(dy), dy);
      }
      dorefa.step();
    }
  });

  it("first, last and layers without weights: every hook gives back what it was given", () => {
    const state = stateDict();
    const { layers } = new DoReFaQuantizer(options).compress(state);
    for (const name of ["conv", "fc3", "bn"]) {
      const { [name]: layer } = layers;
      const x = noise(8, 1);
      assert.equal(layer.weight(), state[`${name}.weight`].data);
      for (const hook of ["input", "output", "weightGradient", "inputGradient", "outputGradient"] as const) {
        assert.equal(layer[hook](x), x);
      }
      assert.equal(layer.gradient(x, { batch: 2 }), x);
    }
  });

  it("read the master weights at each call, and change none", () => {
    const state = stateDict();
    const { fc1 } = new DoReFaQuantizer(options).compress(state).layers;
    fc1.weight();
    const { data } = state["fc1.weight"];
    assert.deepEqual(data, noise(12, 3));
    for (let i = 0; i < data.length; i++) data[i] = 0.3 - data[i];
    assert.deepEqual(fc1.weight(), dorefaWeights(data, 2));
  });

  it("splitting a batch changes nothing, wherever it is split", () => {
    const { fc1 } = new DoReFaQuantizer({ gradientBits: 2 }).compress(stateDict()).layers;
    const [batch, size] = [5, 7];
    const dy = noise(batch * size, 3);
    const whole = fc1.gradient(dy, { batch });
    for (let at = 1; at < batch; at++) {
      const cut = at * size;
      const second = fc1.gradient(dy.subarray(cut), { batch: batch - at, offset: cut });
      const parts = [...fc1.gradient(dy.subarray(0, cut), { batch: at }), ...second];
      assert.deepEqual(parts, [...whole], `split at ${at}`);
      assert.notDeepEqual([...fc1.gradient(dy.subarray(cut), { batch: batch - at })], [...second], "without offset");
    }
  });

  it("another upper end; signs", () => {
    const x = Float32Array.of(-7, -0.5, 0, 0.4, 1.1, 7);
    const dy = Float32Array.of(1, 2, 3, 4, 5, 6);
    const bounded = new DoReFaQuantizer({ activationBits: 2, activationBound: 6 }).compress(stateDict()).layers.fc1;
    assert.deepEqual(bounded.input(x), Float32Array.of(0, 0, 0, 0, 2, 6));
    assert.deepEqual(bounded.inputGradient(dy), Float32Array.of(0, 0, 3, 4, 5, 0));
    const sign = new DoReFaQuantizer({ activationBits: 1, signActivations: true }).compress(stateDict()).layers.fc1;
    assert.deepEqual(sign.input(x), Float32Array.of(-1, -1, 1, 1, 1, 1));
    assert.deepEqual(sign.inputGradient(dy), Float32Array.of(0, 2, 3, 4, 0, 0));
    const unit = new DoReFaQuantizer({ activationBits: 1 }).compress(stateDict()).layers.fc1;
    assert.deepEqual(unit.input(x), Float32Array.of(0, 0, 0, 0, 1, 1));
  });

  it("a config list: the targets it names, on any layer; outputs behind the layer", () => {
    const list: ConfigList = [
      { op_names: ["conv"], quant_types: ["weight", "output"], quant_bits: { weight: 1, output: 2 } },
      { op_names: ["fc2"], quant_types: ["weight"], quant_bits: 32 },
    ];
    const state = stateDict();
    const { conv, fc1, fc2 } = new DoReFaQuantizer(list, { gradientBits: 3, seed: 4 }).compress(state).layers;
    const x = noise(12, 7);
    assert.deepEqual(conv.weight(), dorefaWeights(state["conv.weight"].data, 1));
    assert.equal(conv.input(x), x);
    assert.deepEqual(conv.output(x), dorefaActivations(x, 2));
    assert.deepEqual(conv.outputGradient(x), dorefaActivationsGradient(x, x, 2));
    assert.deepEqual(conv.gradient(x, { batch: 2 }), dorefaGradients(x, 3, { batch: 2, seed: 4, step: 0, tensor: 0 }));
    assert.equal(fc1.gradient(x, { batch: 2 }), x);
    assert.equal(fc2.weight(), state["fc2.weight"].data);
    assert.deepEqual(fc2.gradient(x, { batch: 2 }), dorefaGradients(x, 3, { batch: 2, seed: 4, step: 0, tensor: 1 }));
  });

  it("a gradient before its values, and a weight that is none, are errors", () => {
    const { fc1, relu } = new DoReFaQuantizer({ bits: 4 }).compress({
      ...stateDict(),
      "relu.slope": { data: Float32Array.of(1), shape: [1] },
    }).layers;
    assert.throws(() => fc1.inputGradient(noise(3, 1)), {
      code: "not-calibrated",
      message: 'DoReFaQuantizer: "fc1".input: expected values before their gradient, got none',
    });
    assert.throws(() => relu.weight(), {
      name: "TypeError",
      message: 'DoReFaQuantizer: "relu".weight: expected a tensor "relu.weight" in the state dict, got none',
    });
  });
});

describe("DoReFaQuantizer.compress", () => {
  it("goes on from a step, to the same bits", () => {
    const dy = noise(30, 1);
    const first = new DoReFaQuantizer({ bits: 3 }).compress(stateDict());
    for (let i = 0; i < 4; i++) first.step();
    const resume = JSON.parse(JSON.stringify(first));
    assert.deepEqual(resume, { step: 4 });
    const second = new DoReFaQuantizer({ bits: 3 }).compress(stateDict(), { resume });
    for (let i = 0; i < 2; i++) {
      const [a, b] = [first, second].map(({ layers }) => layers.fc2.gradient(dy, { batch: 3 }));
      assert.deepEqual(a, b);
      first.step();
      second.step();
    }
    const anew = new DoReFaQuantizer({ bits: 3 }).compress(stateDict()).layers.fc2.gradient(dy, { batch: 3 });
    assert.notDeepEqual(anew, second.layers.fc2.gradient(dy, { batch: 3 }));
  });

  it("a step that is none is an error", () => {
    for (const [resume, message] of [
      [null, "resume: expected what toJSON() gave, got null"],
      [{}, "resume.step: expected an integer ≥ 0, got undefined"],
      [{ step: -1 }, "resume.step: expected an integer ≥ 0, got -1"],
      [{ step: 0.5 }, "resume.step: expected an integer ≥ 0, got 0.5"],
    ] as const) {
      const options = { resume: resume as unknown as DoReFaState };
      assert.throws(() => new DoReFaQuantizer({ bits: 4 }).compress(stateDict(), options), {
        code: "invalid-config",
        message: `DoReFaQuantizer.compress: ${message}`,
      });
    }
  });

  it("two layers have nothing between them; several weights in a layer cannot be trained", () => {
    const { "conv.weight": conv, "fc1.weight": fc1 } = stateDict();
    assert.throws(() => new DoReFaQuantizer().compress({ "conv.weight": conv, "fc1.weight": fc1 }), {
      code: "invalid-model",
      message:
        'DoReFaQuantizer.compress: expected a layer with weights between the first and the last, which stay as they are, got "conv", "fc1"; give firstLastBits or a config list',
    });
    assert.throws(() => new DoReFaQuantizer().compress({ ...stateDict(), "fc1.other": fc1 }), {
      code: "unsupported",
      message:
        'DoReFaQuantizer.compress: layer "fc1": expected one weight of rank ≥ 2 to quantize, got "fc1.weight", "fc1.other"; exclude it in a config list, { op_names: ["fc1"], exclude: true }',
    });
  });

  it("bad options are errors of the constructor", () => {
    assert.throws(() => new DoReFaQuantizer({ bits: 20 }), {
      name: "RangeError",
      message: "DoReFaQuantizer: bits: expected bits in 1…16, or 32 for untouched, got 20",
    });
  });
});

describe("DoReFaQuantizer.exportModel", () => {
  for (const bits of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`${bits} bits: codes stand for the weights as they are rounded, and go through a file`, () => {
      const state = stateDict();
      const dorefa = new DoReFaQuantizer({ bits }).compress(state);
      const { weights, calibration } = dorefa.exportModel();
      assert.deepEqual(Object.keys(weights), Object.keys(state));
      const quantized = Object.keys(weights).filter((name) => isQuantized(weights[name]));
      assert.deepEqual(quantized, ["fc1.weight", "fc2.weight"]);
      assert.equal(weights["conv.weight"], state["conv.weight"]);
      for (const name of quantized) {
        const { data, params, shape } = weights[name] as QuantizedTensor;
        assert.deepEqual(shape, state[name].shape);
        const expected = dorefaWeights(state[name].data, bits);
        // 8 bits are refitted to int8: half a step of 1/127.
        const tolerance = bits === 8 ? 1 / 254 + 1e-7 : 2 ** -23;
        for (const [i, value] of dequantize(data, params).entries()) {
          assert.ok(Math.abs(value - expected[i]) <= tolerance, `${name}, ${i}: ${value}, ${expected[i]}`);
        }
      }
      assert.deepEqual(readSafetensors(writeSafetensors(weights)).tensors["fc1.weight"], weights["fc1.weight"]);
      assert.deepEqual(Object.keys(calibration), ["fc1", "fc2"]);
      assert.equal(calibration.fc1.weight?.quant_bits, bits);
    });
  }

  it("the calibration config: grids of weights and activations, without ranges", () => {
    const state = stateDict();
    const { calibration } = new DoReFaQuantizer({ weightBits: 2, activationBits: 4 }).compress(state).exportModel();
    assert.deepEqual(calibration.fc1, {
      weight: {
        scale: [Math.fround(1 / 126)],
        zero_point: [0],
        quant_dtype: "int8",
        quant_scheme: "symmetric",
        quant_bits: 2,
        qmin: -127,
        qmax: 127,
      },
      _input_0: {
        scale: [Math.fround(1 / 15)],
        zero_point: [0],
        quant_dtype: "uint4",
        quant_scheme: "affine",
        quant_bits: 4,
        qmin: 0,
        qmax: 15,
      },
    });
    const signs = new DoReFaQuantizer({ bits: 1, signActivations: true }).compress(state).exportModel().calibration;
    assert.deepEqual(signs.fc2._input_0, {
      scale: [1],
      zero_point: [0],
      quant_dtype: "int2",
      quant_scheme: "symmetric",
      quant_bits: 1,
      qmin: -1,
      qmax: 1,
    });
    const list: ConfigList = [{ op_names: ["conv"], quant_types: ["output"], quant_bits: 12 }];
    const outputs = new DoReFaQuantizer(list, { activationBound: 6 }).compress(state).exportModel().calibration;
    assert.deepEqual(Object.keys(outputs.conv), ["_output_0"]);
    assert.deepEqual(outputs.conv._output_0?.scale, [Math.fround(6 / 4095)]);
  });

  it("more than 8 bits of weights have no int8 codes", () => {
    assert.throws(() => new DoReFaQuantizer({ bits: 12 }).compress(stateDict()).exportModel(), {
      name: "RangeError",
      message: 'DoReFaQuantizer.exportModel: "fc1.weight": expected bits of weights in 1…8 for int8 codes, got 12',
    });
  });
});

describe("DoReFaQuantizer.report", () => {
  it("bytes as the file has them, SQNR of the rounding, 32 bits where nothing happens", () => {
    const state = stateDict();
    const dorefa = new DoReFaQuantizer({ bits: 4 }).compress(state);
    const { tensors, bytesBefore } = dorefa.report();
    assert.deepEqual(
      tensors.map(({ name, bits, bytesAfter }) => [name, bits, bytesAfter]),
      [
        ["conv.weight", 32, 72],
        ["bn.weight", 32, 8],
        ["fc1.weight", 4, 16],
        ["fc1.bias", 32, 12],
        ["fc2.weight", 4, 10],
        ["fc3.weight", 32, 16],
      ],
    );
    assert.equal(bytesBefore, 4 * (18 + 2 + 12 + 3 + 6 + 4));
    state["fc1.weight"].data.fill(0.5);
    const [, , fc1] = dorefa.report().tensors;
    assert.deepEqual([fc1.sqnr, fc1.scales], [Number.POSITIVE_INFINITY, [Math.fround(1 / 15), Math.fround(1 / 15)]]);
  });
});

describe("training with 1-bit weights, 2-bit activations and 4-bit gradients", () => {
  /** A net x → in (float) → mid → out (float), with clip as activation, learning sums of a few inputs, by plain loops. */
  function train(steps: number, options: { gradientBits: number }): { losses: number[]; dorefa: DoReFaTraining } {
    const [inputs, hidden, batch] = [6, 24, 32];
    const tensor = (rows: number, columns: number, seed: number) => ({
      data: noise(rows * columns, seed).map((value) => value / Math.sqrt(columns)),
      shape: [rows, columns],
    });
    const state = {
      "in.weight": tensor(hidden, inputs, 11),
      "mid.weight": tensor(hidden, hidden, 12),
      "out.weight": tensor(1, hidden, 13),
    };
    const dorefa = new DoReFaQuantizer({ weightBits: 1, activationBits: 2, ...options }).compress(state);
    const { in: first, mid, out } = dorefa.layers;
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const x = noise(batch * inputs, 1000 + step);
      const target = Float32Array.from({ length: batch }, (_, n) => (x[n * inputs] > x[n * inputs + 1] ? 1 : -1));
      const z1 = product(x, first.weight(), inputs);
      const a1 = mid.input(z1.map((value) => value + 0.5));
      const w2 = mid.weight();
      const z2 = product(a1, w2, hidden);
      const a2 = z2.map((value) => Math.max(0, Math.min(1, value + 0.5)));
      const y = product(a2, out.weight(), hidden);
      losses.push(y.reduce((sum, value, n) => sum + (value - target[n]) ** 2, 0) / batch);
      const dy = y.map((value, n) => (2 * (value - target[n])) / batch);
      const dz2 = mid.gradient(
        backToInputs(dy, out.weight(), hidden).map((value, i) => (a2[i] > 0 && a2[i] < 1 ? value : 0)),
        { batch },
      );
      const dz1 = mid.inputGradient(backToInputs(dz2, w2, hidden));
      const updates = [
        [state["out.weight"].data, backToWeights(dy, a2, hidden)],
        [state["mid.weight"].data, mid.weightGradient(backToWeights(dz2, a1, hidden))],
        [state["in.weight"].data, backToWeights(dz1, x, inputs)],
      ];
      for (const [w, dw] of updates) for (let i = 0; i < w.length; i++) w[i] -= 0.1 * dw[i];
      dorefa.step();
    }
    return { losses, dorefa };
  }

  /** y[n, o] = Σ x[n, i] · w[o, i] */
  function product(x: Float32Array, w: Float32Array, inputs: number): Float32Array {
    const outputs = w.length / inputs;
    return Float32Array.from({ length: (x.length / inputs) * outputs }, (_, at) => {
      const [n, o] = [Math.floor(at / outputs), at % outputs];
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x[n * inputs + i] * w[o * inputs + i];
      return sum;
    });
  }

  /** dx[n, i] = Σ dy[n, o] · w[o, i] */
  function backToInputs(dy: Float32Array, w: Float32Array, inputs: number): Float32Array {
    const outputs = w.length / inputs;
    return Float32Array.from({ length: (dy.length / outputs) * inputs }, (_, at) => {
      const [n, i] = [Math.floor(at / inputs), at % inputs];
      let sum = 0;
      for (let o = 0; o < outputs; o++) sum += dy[n * outputs + o] * w[o * inputs + i];
      return sum;
    });
  }

  /** dw[o, i] = Σ dy[n, o] · x[n, i] */
  function backToWeights(dy: Float32Array, x: Float32Array, inputs: number): Float32Array {
    const batch = x.length / inputs;
    const outputs = dy.length / batch;
    return Float32Array.from({ length: outputs * inputs }, (_, at) => {
      const [o, i] = [Math.floor(at / inputs), at % inputs];
      let sum = 0;
      for (let n = 0; n < batch; n++) sum += dy[n * outputs + o] * x[n * inputs + i];
      return sum;
    });
  }

  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

  it("learns, and two runs are the same bits", () => {
    const { losses, dorefa } = train(300, { gradientBits: 4 });
    const [early, late] = [mean(losses.slice(0, 10)), mean(losses.slice(-50))];
    assert.ok(late < 0.3 * early, `loss ${early} at first, ${late} in the end`);
    assert.deepEqual(dorefa.toJSON(), { step: 300 });
    assert.deepEqual(train(300, { gradientBits: 4 }).losses, losses);
    const float = mean(train(300, { gradientBits: 32 }).losses.slice(-50));
    assert.ok(late < 1.2 * float, `loss ${late}, ${float} with float gradients`);
  });
});
