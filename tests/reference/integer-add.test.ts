import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Addition, integerAdd } from "../../src/reference/integer-add.js";

const GRID = { qmin: -128, qmax: 127 };

function added(a: number[], b: number[], addition: Addition, shapes = [[a.length], [b.length], [a.length]]): number[] {
  const out = new Int8Array(shapes[2].reduce((n, size) => n * size, 1));
  integerAdd(Int8Array.from(a), Int8Array.from(b), addition, { a: shapes[0], b: shapes[1], out: shapes[2] }, out);
  return Array.from(out);
}

/** Half of the sum, or of the difference. */
const half = (bSign: 1 | -1): Addition => ({
  ...GRID,
  rounding: "once",
  zeroPoint: 0,
  aZeroPoint: 0,
  bZeroPoint: 0,
  aMultiplier: 2 ** 19,
  bMultiplier: bSign * 2 ** 19,
  shift: 20,
});
const ONE_HALF = { multiplier: 2 ** 30, shift: 0 };
/** The same in TensorFlow Lite's way: both scales are 1, the output's is 2. */
const halfTwice = (sign: 1 | -1): Addition => ({
  ...GRID,
  rounding: "twice",
  zeroPoint: 0,
  aZeroPoint: 0,
  bZeroPoint: 0,
  a: ONE_HALF,
  b: ONE_HALF,
  sign,
  sum: { multiplier: 2 ** 30, shift: 19 },
});

describe("integerAdd", () => {
  it("once: ties up", () => {
    assert.deepEqual(added([1, 2, -1, -2, -3], [0, 1, 0, -1, 0], half(1)), [1, 2, 0, -1, -1]);
    assert.deepEqual(added([1, 2, -1, -2, -3], [0, 1, 0, -1, 0], half(-1)), [1, 1, 0, 0, -1]);
  });

  it("twice: ties of the last shift away from zero", () => {
    assert.deepEqual(added([1, 2, -1, -2, -3], [0, 1, 0, -1, 0], halfTwice(1)), [1, 2, -1, -2, -2]);
    assert.deepEqual(added([1, 2, -1, -2, -3], [0, 1, 0, -1, 0], halfTwice(-1)), [1, 1, -1, -1, -2]);
  });

  it("takes the zero points off, adds the output's, and saturates", () => {
    const addition = { ...half(1), zeroPoint: 20, aZeroPoint: -100, bZeroPoint: 50, qmin: -5, qmax: 100 };
    assert.deepEqual(added([-100, 127, -128, 0], [50, 127, -128, 60], addition), [20, 100, -5, 75]);
  });

  it("broadcasts", () => {
    const shapes = [[2, 1], [3], [2, 3]];
    assert.deepEqual(added([10, 20], [2, 4, 6], half(1), shapes), [6, 7, 8, 11, 12, 13]);
  });

  it("once: is the 64-bit formula for the largest multipliers", () => {
    const code = fc.integer({ min: -128, max: 127 });
    const multiplier = fc.integer({ min: -(2 ** 28) + 1, max: 2 ** 28 - 1 });
    const drawn = fc.record({ a: code, b: code, za: code, zb: code, A: multiplier, B: multiplier });
    const shifts = fc.integer({ min: 12, max: 30 });
    fc.assert(
      fc.property(drawn, shifts, ({ a, b, za, zb, A, B }, shift) => {
        const exact =
          (BigInt(a - za) * BigInt(A) + BigInt(b - zb) * BigInt(B) + (1n << BigInt(shift - 1))) >> BigInt(shift);
        const addition = { ...half(1), aZeroPoint: za, bZeroPoint: zb, aMultiplier: A, bMultiplier: B, shift };
        assert.deepEqual(added([a], [b], addition), [Math.max(-128, Math.min(127, Number(exact)))]);
      }),
    );
  });
});
