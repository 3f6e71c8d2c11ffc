import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fixedPointMultiplier } from "../../src/reference/fixed-point-multiplier.js";

const of = (M: number) => fixedPointMultiplier("layer", M);

describe("fixedPointMultiplier", () => {
  it("splits into a mantissa of 31 bits and a right shift", () => {
    assert.deepEqual(of(0.5), { multiplier: 2 ** 30, shift: 0 });
    assert.deepEqual(of(1), { multiplier: 2 ** 30, shift: -1 });
    assert.deepEqual(of(0.75), { multiplier: 3 * 2 ** 29, shift: 0 });
    assert.deepEqual(of(0.003), { multiplier: 1649267442, shift: 8 });
    assert.deepEqual(of(255.5), { multiplier: 255.5 * 2 ** 23, shift: -8 });
  });

  it("rounds the mantissa half up, and halves it at 2^31", () => {
    assert.deepEqual(of(0.5 + 2 ** -32), { multiplier: 2 ** 30 + 1, shift: 0 });
    assert.deepEqual(of(0.5 + 2 ** -33), { multiplier: 2 ** 30, shift: 0 });
    assert.deepEqual(of(1 - 2 ** -40), { multiplier: 2 ** 30, shift: -1 });
  });

  it("is 0 below 2^-32", () => {
    assert.deepEqual(of(2 ** -32), { multiplier: 2 ** 30, shift: 31 });
    assert.deepEqual(of(2 ** -32 * (1 - 2 ** -52)), { multiplier: 0, shift: 0 });
    assert.deepEqual(of(Number.MIN_VALUE), { multiplier: 0, shift: 0 });
    assert.deepEqual(of(0), { multiplier: 0, shift: 0 });
  });

  for (const M of [256, 256 * (1 - 2 ** -50), 1e300, Number.POSITIVE_INFINITY, Number.NaN, -1]) {
    it(`refuses ${M}`, () => {
      assert.throws(() => of(M), {
        name: "RangeError",
        message: `layer: expected a multiplier in [0, 256), got ${M}; the scales do not fit each other`,
      });
    });
  }

  it("is within half a unit of the last place", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -32, max: 255, noNaN: true }), (M) => {
        const { multiplier, shift } = of(M);
        assert.ok(multiplier >= 2 ** 30 && multiplier < 2 ** 31 && shift >= -8 && shift <= 31);
        assert.ok(Math.abs(multiplier - M * 2 ** (31 + shift)) <= 0.5);
      }),
    );
  });
});
