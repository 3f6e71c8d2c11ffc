import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { biasCodes, biasOnGrid, raiseForBias } from "../../src/reference/bias-on-grid.js";
import { fl } from "../../src/reference/rounding.js";

const rounded = (bias: number[], inputScale: number, weightScale: number[]): number[] => {
  const out = new Float32Array(bias.length);
  biasOnGrid(Float32Array.from(bias), inputScale, Float32Array.from(weightScale), out);
  return [...out];
};

test("codes are rounded to nearest, ties to even, in steps of sx · sw[c]", () => {
  assert.deepEqual(rounded([0.5, 1.5, 2.5, -0.5, -1.5, 0.74], 0.5, [2]), [0, 2, 2, 0, -2, 1]);
  assert.deepEqual(rounded([1, 1, 1], 0.5, [1, 0.25, 4]), [1, 1, 0]);
});

test("biasCodes are the integers of that grid", () => {
  const codes = (bias: number[], inputScale: number, weightScale: number[]): number[] => {
    const out = new Int32Array(bias.length);
    biasCodes(Float32Array.from(bias), inputScale, Float32Array.from(weightScale), out);
    return [...out];
  };
  assert.deepEqual(codes([0.5, 1.5, 2.5, -0.5, -1.5, 0.74], 0.5, [2]), [0, 2, 2, 0, -2, 1]);
  assert.deepEqual(codes([1, 1, 1], 0.5, [1, 0.25, 4]), [2, 8, 0]);
  assert.deepEqual(codes([2 ** 30, -(2 ** 30)], 1, [1]), [2 ** 30, -(2 ** 30)]);
});

test("out may be the bias itself", () => {
  const bias = Float32Array.of(0.3, 0.7);
  biasOnGrid(bias, 1, Float32Array.of(1), bias);
  assert.deepEqual(bias, Float32Array.of(0, 1));
});

test("scales rise only where a bias would not fit, to fl(|b| / (sx · 2^30))", () => {
  const scale = Float32Array.of(1e-9, 1e-9, 1);
  raiseForBias(scale, Float32Array.of(-1000, 1e-3, 1000), 1 / 128);
  assert.deepEqual(scale, Float32Array.of(1000 / 2 ** 23, 1e-9, 1));
});

test("one scale for all channels rises to the largest bias's; NaN raises nothing", () => {
  const scale = Float32Array.of(1e-9);
  raiseForBias(scale, Float32Array.of(3, Number.NaN, -1000, 5), 1 / 128);
  assert.deepEqual(scale, Float32Array.of(1000 / 2 ** 23));
});

test("on raised scales every code fits int32, and a bias moves by at most half a step and a rounding", () => {
  const real = fc.float({ min: fl(-1e6), max: fl(1e6), noNaN: true });
  const positive = fc.float({ min: fl(2 ** -40), max: 16, noNaN: true });
  fc.assert(
    fc.property(real, positive, positive, (b, inputScale, weightScale) => {
      const scale = Float32Array.of(weightScale);
      raiseForBias(scale, Float32Array.of(b), inputScale);
      assert.ok(scale[0] >= weightScale);
      const step = inputScale * scale[0];
      const [out] = rounded([b], inputScale, [scale[0]]);
      // fl of the raised scale may lie half an ulp below the quotient.
      assert.ok(Math.abs(out / step) <= 2 ** 30 * (1 + 2 ** -22));
      assert.ok(Math.abs(out - b) <= step / 2 + Math.abs(b) * 2 ** -23);
    }),
  );
});
