import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logisticTable, tanhTable } from "../../src/reference/function-table.js";
import { entriesAt } from "./table-cases.js";

const ROUNDINGS = ["integer", "tflite", "float32"] as const;

describe("logisticTable", () => {
  const output = { scale: 1 / 256, zeroPoint: -128 };

  for (const rounding of ROUNDINGS) {
    it(`${rounding}: by hand`, () => {
      const table = logisticTable({ input: { scale: 0.5, zeroPoint: 3 }, output }, rounding);
      // 256 · σ(−∞ … ∞): σ(1) = 0.7311, σ(2) = 0.8808, σ(−2) = 0.1192
      assert.deepEqual(entriesAt(table, [-128, -1, 3, 5, 7, 127]), [-128, -97, 0, 59, 97, 127]);
    });
  }

  it("rises with the code", () => {
    const table = logisticTable({ input: { scale: 0.05, zeroPoint: 0 }, output }, "integer");
    for (let i = 1; i < 256; i++) assert.ok(table[i] >= table[i - 1]);
  });
});

describe("tanhTable", () => {
  const output = { scale: 1 / 128, zeroPoint: 0 };

  for (const rounding of ROUNDINGS) {
    it(`${rounding}: by hand`, () => {
      const table = tanhTable({ input: { scale: 0.25, zeroPoint: -1 }, output }, rounding);
      // 128 · tanh: tanh(0.25) = 0.2449, tanh(1) = 0.7616
      assert.deepEqual(entriesAt(table, [-128, -5, -1, 0, 3, 127]), [-128, -97, 0, 31, 97, 127]);
    });
  }
});
