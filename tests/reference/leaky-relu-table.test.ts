import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leakyReluTable } from "../../src/reference/leaky-relu-table.js";
import { entriesAt } from "./table-cases.js";

describe("leakyReluTable", () => {
  const codes = { input: { scale: 1, zeroPoint: 1 }, output: { scale: 1, zeroPoint: -2 } };
  const AT = [-128, -5, -4, -2, 0, 1, 2, 127];

  it("integer: alpha below the zero point, ties up", () => {
    assert.deepEqual(entriesAt(leakyReluTable("l", 0.25, codes, "integer"), AT), [-34, -3, -3, -3, -2, -2, -1, 124]);
  });

  it("tflite: rounded twice", () => {
    assert.deepEqual(entriesAt(leakyReluTable("l", 0.25, codes, "tflite"), AT), [-34, -4, -3, -3, -2, -2, -1, 124]);
  });

  it("float32: alpha in steps of 2^-8", () => {
    // 0.31 becomes 79/256: 121 · 0.31 = 37.51, 121 · 79/256 = 37.34.
    const big = { input: { scale: 1, zeroPoint: 0 }, output: { scale: 1, zeroPoint: 0 } };
    const alpha = Math.fround(0.31);
    assert.equal(entriesAt(leakyReluTable("l", alpha, big, "float32"), [-121])[0], -37);
    assert.equal(entriesAt(leakyReluTable("l", alpha, big, "integer"), [-121])[0], -38);
  });

  it("float32: the builtin kernels' rule where alpha times the ratio is below 2^-8", () => {
    assert.deepEqual(leakyReluTable("l", 0.001, codes, "float32"), leakyReluTable("l", 0.001, codes, "tflite"));
  });
});
