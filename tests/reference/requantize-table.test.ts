import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requantizeTable } from "../../src/reference/requantize-table.js";
import { entriesAt } from "./table-cases.js";

const codes = (input: number, output: number) => ({
  input: { scale: Math.fround(input), zeroPoint: 2 },
  output: { scale: Math.fround(output), zeroPoint: -1 },
});

describe("requantizeTable", () => {
  // (q − 2) / 4 − 1
  const quarter = codes(0.25, 1);
  const AT = [-4, 0, 1, 2, 4, 5, 8];

  it("integer: ties up", () => {
    assert.deepEqual(entriesAt(requantizeTable("q", quarter, "integer"), AT), [-2, -1, -1, -1, 0, 0, 1]);
  });

  it("tflite: ties up in the high multiply, away from zero in the shift", () => {
    assert.deepEqual(entriesAt(requantizeTable("q", quarter, "tflite"), AT), [-3, -2, -1, -1, 0, 0, 1]);
  });

  it("float32: in steps of 2^-8, ties up", () => {
    assert.deepEqual(entriesAt(requantizeTable("q", quarter, "float32"), AT), [-2, -1, -1, -1, 0, 0, 1]);
    // 100 · 0.0052 = 0.52, and 100 · 1/256 = 0.39.
    assert.equal(entriesAt(requantizeTable("q", codes(0.0052, 1), "float32"), [102])[0], -1);
    assert.equal(entriesAt(requantizeTable("q", codes(0.0052, 1), "integer"), [102])[0], 0);
  });

  it("float32: the builtin kernels' rule below 2^-8", () => {
    const small = codes(0.0039, 1);
    assert.deepEqual(requantizeTable("q", small, "float32"), requantizeTable("q", small, "tflite"));
    assert.equal(entriesAt(requantizeTable("q", small, "float32"), [-128])[0], -2);
  });

  it("saturates, and respects the output's smallest code", () => {
    const { input, output } = codes(4, 1);
    const table = requantizeTable("q", { input, output: { ...output, qmin: -50 } }, "integer");
    assert.deepEqual(entriesAt(table, [-128, -11, -10, 34, 127]), [-50, -50, -49, 127, 127]);
  });

  it("refuses a ratio of 2^8 and more, but for integer", () => {
    assert.throws(() => requantizeTable('quantize "a"', codes(256, 1), "tflite"), {
      name: "RangeError",
      message: 'quantize "a": expected a multiplier in [0, 256), got 256; the scales do not fit each other',
    });
    assert.deepEqual(entriesAt(requantizeTable("q", codes(256, 1), "integer"), [1, 2, 3]), [-128, -1, 127]);
  });
});
