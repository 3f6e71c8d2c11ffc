import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hardSwishTable } from "../../src/reference/hard-swish-table.js";
import { entriesAt } from "./table-cases.js";

const codes = { input: { scale: 0.0625, zeroPoint: 0 }, output: { scale: 0.0625, zeroPoint: -10 } };

describe("hardSwishTable", () => {
  it("integer: by hand", () => {
    // x = −4, −3, −1.5, −1, 0, 1, 3, 5 → 0, 0, −0.375, −1/3, 0, 2/3, 3, 5
    assert.deepEqual(
      entriesAt(hardSwishTable("h", codes, "integer"), [-64, -48, -24, -16, 0, 16, 48, 80]),
      [-10, -10, -16, -15, -10, 1, 38, 70],
    );
  });

  it("tflite, float32: one table, within 1 code of integer", () => {
    const exact = hardSwishTable("h", codes, "integer");
    const table = hardSwishTable("h", codes, "tflite");
    assert.deepEqual(hardSwishTable("h", codes, "float32"), table);
    const differences = Array.from(table, (code, i) => Math.abs(code - exact[i]));
    assert.equal(Math.max(...differences), 1);
    assert.equal(differences.filter((size) => size > 0).length, 2);
  });
});
