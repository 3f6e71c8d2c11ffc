import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { channelsFirst, type FloatLayer, integerLayer } from "../../../src/graph/lower/integer-weights.js";

const GRID = { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 1 } as const;

/** A dense layer [2, 2] whose first output has weights 1.27 and 0.635, its second −2.54 and 0. */
const DENSE: FloatLayer = {
  weights: Float32Array.of(1.27, -2.54, 0.635, 0),
  shape: [2, 2],
  bias: undefined,
  batchNorm: undefined,
  grid: GRID,
};
const fl = Math.fround;

describe("integerLayer", () => {
  it("per channel: codes in tfjs's layout, one scale per output", () => {
    const found = integerLayer("x", DENSE, new Map(), 0.5, 1);
    assert.deepEqual(found, {
      codes: Int8Array.of(127, -127, 64, 0), // 63.5 rounds to even
      weightBits: 8,
      weightScales: Float32Array.of(fl(fl(1.27) / 127), fl(fl(2.54) / 127)),
      bias: undefined,
    });
  });

  it("per tensor: one scale", () => {
    const found = integerLayer("x", { ...DENSE, grid: { ...GRID, granularity: "perTensor" } }, new Map(), 0.5, 1);
    assert.deepEqual([...found.codes], [64, -127, 32, 0]);
    assert.deepEqual(found.weightScales, Float32Array.of(fl(fl(2.54) / 127)));
  });

  it("up to 4 bits: codes of −7…7, stored as int4; 5 bits as int8", () => {
    const four = integerLayer("x", { ...DENSE, grid: { ...GRID, bits: 4 } }, new Map(), 0.5, 1);
    assert.deepEqual([[...four.codes], four.weightBits], [[7, -7, 4, 0], 4]);
    const two = integerLayer("x", { ...DENSE, grid: { ...GRID, bits: 2 } }, new Map(), 0.5, 1);
    assert.deepEqual([[...two.codes], two.weightBits], [[1, -1, 0, 0], 4]); // a tie goes to even
    assert.equal(integerLayer("x", { ...DENSE, grid: { ...GRID, bits: 5 } }, new Map(), 0.5, 1).weightBits, 8);
  });

  it("a bias lies on the grid of the sums, ties to even", () => {
    const weights = Float32Array.of(127, 254, 0, 0);
    const bias = Float32Array.of(0.75, 1.5); // steps 0.5 · 1 and 0.5 · 2
    assert.deepEqual(integerLayer("x", { ...DENSE, weights, bias }, new Map(), 0.5, 1).bias, Int32Array.of(2, 2));
  });

  it("a bias too large for its grid raises its channel's weight scale to |b| / (sx · 2^30)", () => {
    const weights = Float32Array.of(127, 127, 0, 0);
    const bias = Float32Array.of(2 ** 31, 2 ** 30 * 8);
    const found = integerLayer("x", { ...DENSE, weights, bias }, new Map(), 1, 1000);
    assert.deepEqual([...found.weightScales], [2, 8]);
    assert.deepEqual([...found.codes], [64, 16, 0, 0]);
    assert.deepEqual(found.bias, Int32Array.of(2 ** 30, 2 ** 30));
  });

  it("a batch norm is folded in float32; negative gamma turns the codes", () => {
    const data = new Map([
      ["g", Float32Array.of(2, -2)],
      ["b", Float32Array.of(1, 0)],
      ["m", Float32Array.of(0, 4)],
      ["v", Float32Array.of(3, 3)],
    ]);
    const batchNorm = { gamma: "g", beta: "b", mean: "m", variance: "v", epsilon: 1 };
    const layer = { ...DENSE, weights: Float32Array.of(127, 127, 0, -127), batchNorm };
    const found = integerLayer("x", layer, data, 1, 1);
    // k = ±2 / √(3 + 1) = ±1; b′ = (0 − m)·k + β
    assert.deepEqual(found, {
      codes: Int8Array.of(127, -127, 0, 127),
      weightBits: 8,
      weightScales: Float32Array.of(1, 1),
      bias: Int32Array.of(1, 4),
    });
  });

  it("gamma 0 leaves the bias alone, on the scale 1", () => {
    const data = new Map([
      ["g", Float32Array.of(0, 1)],
      ["b", Float32Array.of(7, 0)],
      ["m", Float32Array.of(1, 0)],
      ["v", Float32Array.of(0, 0)],
    ]);
    const batchNorm = { gamma: "g", beta: "b", mean: "m", variance: "v", epsilon: 1 };
    const found = integerLayer("x", { ...DENSE, batchNorm }, data, 0.5, 1);
    assert.deepEqual([found.codes[0], found.codes[2], found.weightScales[0], found.bias?.[0]], [0, 0, 1, 14]);
  });

  it("NaN and ±Infinity, and negative variances, name the layer and the array", () => {
    const where = 'convert: "fc" (Dense)';
    const bias = Float32Array.of(0, Number.NaN);
    assert.throws(() => integerLayer(where, { ...DENSE, bias }, new Map(), 1, 1), {
      code: "non-finite",
      message: 'convert: "fc" (Dense): bias: expected finite values, got NaN at index 1',
    });
    const weights = Float32Array.of(1, Number.POSITIVE_INFINITY, 0, 0);
    assert.throws(() => integerLayer(where, { ...DENSE, weights }, new Map(), 1, 1), {
      code: "non-finite",
      message: 'convert: "fc" (Dense): weights: expected finite values, got Infinity at index 1',
    });
    const norm = { mean: "m", variance: "v", epsilon: 1 };
    const data = new Map([
      ["m", Float32Array.of(0, 0)],
      ["v", Float32Array.of(1, -1)],
    ]);
    assert.throws(() => integerLayer(where, { ...DENSE, batchNorm: norm }, data, 1, 1), {
      code: "invalid-model",
      message: 'convert: "fc" (Dense): expected variances ≥ 0, got -1 at channel 1',
    });
    data.set("m", Float32Array.of(Number.NEGATIVE_INFINITY, 0));
    assert.throws(() => integerLayer(where, { ...DENSE, batchNorm: norm }, data, 1, 1), {
      code: "non-finite",
      message: 'convert: "fc" (Dense): mean: expected finite values, got -Infinity at index 0',
    });
  });

  it("scales that do not fit, and sums that could leave int32, name the layer", () => {
    const weights = Float32Array.of(127, 254, 0, 0);
    assert.throws(() => integerLayer("x", { ...DENSE, weights }, new Map(), 1, 2 ** -7), {
      code: "unsupported",
      message:
        "x: expected input scale · weight scale / output scale < 256, got 256 at channel 1; its output's range is far smaller than its inputs' allow: calibrate with samples that reach it, or leave the layer out",
    });
    const inputs = 70_000;
    const layer = { ...DENSE, weights: new Float32Array(inputs).fill(1), shape: [inputs, 1] };
    assert.throws(() => integerLayer("x", layer, new Map(), 1, 1), {
      code: "unsupported",
      message: `x: expected |bias| + 255 · Σ|weights| < 2^31, got ${inputs * 127 * 255} at channel 0; make the layer smaller, or give its weights fewer bits`,
    });
  });
});

describe("channelsFirst", () => {
  it("[rest, channels] becomes [channels, rest]", () => {
    assert.deepEqual(channelsFirst(Int8Array.of(1, 2, 3, 4, 5, 6), 3), Int8Array.of(1, 4, 2, 5, 3, 6));
  });

  it("twice is nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (rest, channels) => {
        const codes = Int8Array.from({ length: rest * channels }, (_, i) => i);
        assert.deepEqual(channelsFirst(channelsFirst(codes, channels), rest), codes);
      }),
    );
  });
});
