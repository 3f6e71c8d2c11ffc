import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fixedPoint, requantize, smallestAccumulator } from "../../src/reference/requantize.js";

const factor = fc.double({ min: 2 ** -32, max: 255.99, noNaN: true });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe("fixedPoint", () => {
  it("powers of two and their neighbours", () => {
    assert.deepEqual(fixedPoint("test", 1), { multiplier: 2 ** 30, shift: -1 });
    assert.deepEqual(fixedPoint("test", 0.5), { multiplier: 2 ** 30, shift: 0 });
    assert.deepEqual(fixedPoint("test", 128), { multiplier: 2 ** 30, shift: -8 });
    assert.deepEqual(fixedPoint("test", 2 ** -32), { multiplier: 2 ** 30, shift: 31 });
    assert.deepEqual(fixedPoint("test", 0.75), { multiplier: 3 * 2 ** 29, shift: 0 });
    // Just below a power of two the mantissa rounds up to 2^31 and is renormalised.
    assert.deepEqual(fixedPoint("test", 1 - 2 ** -33), { multiplier: 2 ** 30, shift: -1 });
    assert.deepEqual(fixedPoint("test", 1 - 2 ** -31), { multiplier: 2 ** 31 - 1, shift: 0 });
    // Half away from zero.
    assert.deepEqual(fixedPoint("test", 1 - 2 ** -32), { multiplier: 2 ** 30, shift: -1 });
  });

  it("below 2^-32 the multiplier is 0", () => {
    assert.deepEqual(fixedPoint("test", 2 ** -33), { multiplier: 0, shift: 0 });
  });

  it("2^8 and more, and what is no factor, is an error", () => {
    for (const M of [256, 256 - 2 ** -40, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => fixedPoint("here", M), {
        code: "unsupported",
        message: `here: expected a multiplier in (0, 2^8), got ${M}`,
      });
    }
  });

  it("within half a unit of 31 bits, normalised", () => {
    fc.assert(
      fc.property(factor, (M) => {
        const { multiplier, shift } = fixedPoint("test", M);
        assert.ok(multiplier >= 2 ** 30 && multiplier < 2 ** 31 && shift >= -8 && shift <= 31);
        assert.ok(Math.abs(multiplier * 2 ** (-31 - shift) - M) <= 2 ** (-32 - shift));
      }),
    );
  });
});

describe("requantize", () => {
  it("rounds once, ties toward +infinity", () => {
    const half = fixedPoint("test", 0.5);
    const values = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].map((acc) => requantize(acc, half));
    assert.deepEqual(values, [-2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3]);
  });

  it("is acc · M rounded, at the ends of int32 too", () => {
    assert.equal(requantize(2 ** 31 - 1, fixedPoint("test", 128)), (2 ** 31 - 1) * 128);
    assert.equal(requantize(-(2 ** 31), fixedPoint("test", 2 ** -32)), 0);
    fc.assert(
      fc.property(int32, factor, (acc, M) => {
        const fixed = fixedPoint("test", M);
        const exact = acc * fixed.multiplier * 2 ** (-31 - fixed.shift);
        assert.ok(Math.abs(requantize(acc, fixed) - exact) <= 0.5 + Math.abs(exact) * 2 ** -50);
      }),
    );
  });

  it("smallestAccumulator is where a value begins", () => {
    fc.assert(
      fc.property(fc.integer({ min: -256, max: 256 }), factor, (value, M) => {
        const fixed = fixedPoint("test", M);
        const acc = smallestAccumulator(value, fixed);
        assert.ok(requantize(acc, fixed) >= value && requantize(acc - 1, fixed) < value, `${acc}`);
      }),
    );
    const nothing = fixedPoint("test", 2 ** -40);
    assert.deepEqual(
      [1, 0].map((value) => smallestAccumulator(value, nothing)),
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
  });
});
