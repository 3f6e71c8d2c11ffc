import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { integerMean, type MeanRule } from "../../src/reference/integer-mean.js";

const GRID = { zeroPoint: 0, qmin: -128, qmax: 127 };

function mean(x: number[], shape: number[], axes: number[], rule: MeanRule): number[] {
  const out = new Int8Array(shape.reduce((size, n, axis) => (axes.includes(axis) ? size : size * n), 1));
  integerMean(Int8Array.from(x), shape, axes, rule, out);
  return Array.from(out);
}

/** Half of the sum. */
const halfOnce: MeanRule = {
  kind: "requantized",
  inputZeroPoint: 0,
  requantization: { ...GRID, rounding: "once", multiplier: Int32Array.of(2 ** 30), shift: Int32Array.of(0) },
};

describe("integerMean", () => {
  it("sums over the axes, the others keep their order", () => {
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const exact: MeanRule = { ...GRID, kind: "truncated" };
    assert.deepEqual(mean(x, [2, 3, 2], [1], exact), [3, 4, 9, 10]);
    assert.deepEqual(mean(x, [2, 3, 2], [0, 2], exact), [4, 6, 8]);
    assert.deepEqual(mean(x, [2, 3, 2], [0, 1, 2], exact), [6]);
  });

  it("requantized: takes n zero points off the sum", () => {
    assert.deepEqual(mean([1, 2, -1, -2], [2, 2], [1], halfOnce), [2, -1]);
    assert.deepEqual(mean([1, 2, -1, -2], [2, 2], [1], { ...halfOnce, inputZeroPoint: 10 }), [-8, -11]);
  });

  it("truncated: toward zero", () => {
    assert.deepEqual(mean([3, 2, -3, -2], [2, 2], [1], { ...GRID, kind: "truncated" }), [2, -2]);
  });

  it("float32: ties away from zero before the zero point is added, saturating", () => {
    const rule: MeanRule = { ...GRID, zeroPoint: 7, kind: "float32", scale: 1, bias: 0 };
    assert.deepEqual(mean([3, 2, -3, -2], [2, 2], [1], rule), [10, 4]);
    assert.deepEqual(mean([127, 127, -128, -128], [2, 2], [1], { ...rule, scale: 2, bias: 0.5 }), [127, -128]);
    assert.deepEqual(mean([1, 1], [1, 2], [1], { ...rule, bias: 0.5 }), [9]);
  });
});
