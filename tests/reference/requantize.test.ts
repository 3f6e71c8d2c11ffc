import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { FixedPointMultiplier } from "../../src/reference/fixed-point-multiplier.js";
import { requantize, roundFloat32, roundOnce, roundTwice } from "../../src/reference/requantize.js";

const HALF: FixedPointMultiplier = { multiplier: 2 ** 30, shift: 0 };
const EIGHTH: FixedPointMultiplier = { multiplier: 2 ** 30, shift: 2 };

const accs = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -70000, max: 70000 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 0, 1, -32768, 32767),
);
const multipliers = fc.record({
  multiplier: fc.oneof(fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), fc.constantFrom(0, 2 ** 30, 2 ** 31 - 1)),
  shift: fc.integer({ min: -8, max: 31 }),
});

/** The definitions as their sources write them, over 64-bit integers. */
function onceInInt64(acc: number, { multiplier, shift }: FixedPointMultiplier): number {
  return Number((BigInt(acc) * BigInt(multiplier) + (1n << BigInt(30 + shift))) >> BigInt(31 + shift));
}

function gemmlowp(acc: number, { multiplier, shift }: FixedPointMultiplier): number {
  const product = BigInt(shift < 0 ? acc << -shift : acc) * BigInt(multiplier);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  const high = Number((product + nudge) / (1n << 31n)); // BigInt division truncates, as C's
  if (shift <= 0) return high;
  const mask = 2 ** shift - 1;
  const remainder = Number(BigInt.asUintN(shift, BigInt(high)));
  const threshold = Math.floor(mask / 2) + (high < 0 ? 1 : 0);
  return Number(BigInt(high) >> BigInt(shift)) + (remainder > threshold ? 1 : 0);
}

describe("roundOnce", () => {
  it("sends ties up", () => {
    assert.deepEqual(
      [-3, -1, 1, 3].map((acc) => roundOnce(acc, HALF)),
      [-1, 0, 1, 2],
    );
    assert.deepEqual(
      [-12, -4, 4, 12].map((acc) => roundOnce(acc, EIGHTH)),
      [-1, 0, 1, 2],
    );
  });

  it("is the 64-bit formula", () => {
    fc.assert(
      fc.property(accs, multipliers, (acc, m) => assert.equal(roundOnce(acc, m), onceInInt64(acc, m))),
      { numRuns: 5000 },
    );
  });
});

describe("roundTwice", () => {
  it("sends ties of the high multiply up, those of the shift away from zero", () => {
    assert.deepEqual(
      [-3, -1, 1, 3].map((acc) => roundTwice(acc, HALF)),
      [-1, 0, 1, 2],
    );
    assert.deepEqual(
      [-12, -4, 4, 12].map((acc) => roundTwice(acc, EIGHTH)),
      [-2, -1, 1, 2],
    );
  });

  it("rounds twice: 3 / 8 becomes 2 / 4, becomes 1", () => {
    assert.equal(roundTwice(3, EIGHTH), 1);
    assert.equal(roundOnce(3, EIGHTH), 0);
  });

  it("is gemmlowp's formula", () => {
    fc.assert(
      fc.property(accs, multipliers, (acc, m) => assert.equal(roundTwice(acc, m), gemmlowp(acc, m))),
      { numRuns: 5000 },
    );
  });
});

describe("roundFloat32", () => {
  it("sends ties to even", () => {
    assert.deepEqual(
      [-3, -1, 1, 3, 5].map((acc) => roundFloat32(acc, 0.5)),
      [-2, 0, 0, 2, 2],
    );
  });

  it("rounds the sum to float32 first", () => {
    assert.equal(roundFloat32(2 ** 24 + 1, 1), 2 ** 24);
    assert.equal(roundFloat32(2 ** 24 + 3, 1), 2 ** 24 + 4);
  });

  it("rounds the product to float32 before it rounds to an integer", () => {
    // 3 · fl(1/6) is 0.5 + 2^−26 exactly, and 0.5 in float32.
    assert.equal(roundFloat32(3, Math.fround(1 / 6)), 0);
  });
});

describe("requantize", () => {
  const multiplier = Int32Array.of(2 ** 30, 2 ** 30);
  const shift = Int32Array.of(0, 1);

  it("adds the zero point, clamps, and takes the channel's multiplier", () => {
    const once = { rounding: "once", multiplier, shift, zeroPoint: -10, qmin: -10, qmax: 100 } as const;
    assert.deepEqual(
      [-100, -1, 1, 60, 2 ** 31 - 1].map((acc) => requantize(acc, once, 0)),
      [-10, -10, -9, 20, 100],
    );
    assert.equal(requantize(60, once, 1), 5);
  });

  it("follows the rule it is given", () => {
    const to = { multiplier, shift: Int32Array.of(2, 2), zeroPoint: 0, qmin: -128, qmax: 127 };
    assert.equal(requantize(-12, { ...to, rounding: "once" }, 0), -1);
    assert.equal(requantize(-12, { ...to, rounding: "twice" }, 0), -2);
    const float = { rounding: "float32", scale: Float32Array.of(0.125), zeroPoint: 0, qmin: -128, qmax: 127 } as const;
    assert.equal(requantize(-20, float, 0), -2);
    assert.equal(requantize(-(2 ** 31), float, 0), -128);
  });
});
