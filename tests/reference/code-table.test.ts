import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeTable, lookUpCodes } from "../../src/reference/code-table.js";

describe("codeTable", () => {
  it("has an entry for each code, clamped", () => {
    const table = codeTable((q) => 2 * q, -100, 90);
    assert.equal(table.length, 256);
    assert.deepEqual(
      [-128, -50, -3, 0, 45, 127].map((q) => table[q + 128]),
      [-100, -100, -6, 0, 90, 90],
    );
  });

  it("is looked up, in place too", () => {
    const codes = Int8Array.of(-128, 0, 127);
    lookUpCodes(
      codes,
      codeTable((q) => -1 - q),
      codes,
    );
    assert.deepEqual(codes, Int8Array.of(127, -1, -128));
  });
});
