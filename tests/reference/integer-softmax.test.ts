import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { exponentialTable, integerSoftmax } from "../../src/reference/integer-softmax.js";

function softmax(x: number[], channels: number, scale = 0.1, beta = 1): number[] {
  const out = new Int8Array(x.length);
  integerSoftmax(Int8Array.from(x), exponentialTable(beta, scale), channels, out);
  return Array.from(out);
}

describe("exponentialTable", () => {
  it("is 2^23 exp(−beta·scale·d)", () => {
    const table = exponentialTable(2, 0.05);
    assert.equal(table.length, 256);
    assert.deepEqual([table[0], table[1], table[10]], [2 ** 23, 7590326, 3085996]);
  });
});

describe("integerSoftmax", () => {
  it("one class has probability 1, whose code saturates", () => {
    assert.deepEqual(softmax([-5], 1), [127]);
  });

  it("ties go up: 256/3 = 85.33, 256/512 = ½", () => {
    assert.deepEqual(softmax([4, 4, 4], 3), [-43, -43, -43]);
    assert.deepEqual(softmax(Array(512).fill(9), 512), Array(512).fill(-127));
  });

  it("works row by row, and is the same for rows moved by a constant", () => {
    assert.deepEqual(softmax([0, 10, 100, 110], 2), softmax([0, 10, 0, 10], 2));
  });

  it("is within one code of float64", () => {
    const codes = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(codes, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (x, scale) => {
        const exponentials = x.map((q) => Math.exp((q - Math.max(...x)) * scale));
        const sum = exponentials.reduce((a, b) => a + b, 0);
        for (const [i, code] of softmax(x, x.length, scale).entries()) {
          assert.ok(Math.abs(code + 128 - Math.min(255, (256 * exponentials[i]) / sum)) <= 0.501);
        }
      }),
    );
  });
});
