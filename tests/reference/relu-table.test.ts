import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reluTable } from "../../src/reference/relu-table.js";
import { entriesAt } from "./table-cases.js";

describe("reluTable", () => {
  const codes = { input: { scale: 0.25, zeroPoint: 2 }, output: { scale: 1, zeroPoint: -100 } };

  it("ends at the output's zero point; integer: ties up", () => {
    assert.deepEqual(
      entriesAt(reluTable("r", "relu", codes, "integer"), [-128, 0, 2, 3, 4, 8, 127]),
      [-100, -100, -100, -100, -99, -98, -69],
    );
  });

  it("tflite, float32: rounded twice, (3 + 1) / 4 of 3 quarters of a quarter", () => {
    const eighth = { input: { scale: 0.125, zeroPoint: 0 }, output: { scale: 1, zeroPoint: 0 } };
    assert.deepEqual(entriesAt(reluTable("r", "relu", eighth, "integer"), [3, 4, 11]), [0, 1, 1]);
    for (const rounding of ["tflite", "float32"] as const) {
      assert.deepEqual(entriesAt(reluTable("r", "relu", eighth, rounding), [3, 4, 11]), [1, 1, 2]);
    }
  });

  it("relu6 ends at the code of 6, which builtin kernels round away from zero", () => {
    const wide = { input: { scale: 12, zeroPoint: 0 }, output: { scale: 12, zeroPoint: 0 } };
    assert.deepEqual(entriesAt(reluTable("r", "relu6", wide, "integer"), [-5, 0, 1, 50]), [0, 0, 0, 0]);
    assert.deepEqual(entriesAt(reluTable("r", "relu6", wide, "tflite"), [-5, 0, 1, 50]), [0, 0, 1, 1]);
    assert.deepEqual(entriesAt(reluTable("r", "relu6", wide, "float32"), [-5, 0, 1, 50]), [0, 0, 1, 1]);
  });
});
