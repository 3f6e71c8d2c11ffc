import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { fixedPointMultiplier } from "../../src/reference/fixed-point-multiplier.js";
import { roundOnce } from "../../src/reference/requantize.js";
import { smallestAccumulator } from "../../src/reference/smallest-accumulator.js";

it("smallestAccumulator is where a value begins", () => {
  const factor = fc.double({ min: 2 ** -20, max: 255.99, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: -256, max: 256 }), factor, (value, M) => {
      const fixed = fixedPointMultiplier("test", M);
      const acc = smallestAccumulator(value, fixed);
      assert.ok(roundOnce(acc, fixed) >= value && roundOnce(acc - 1, fixed) < value, `${acc}`);
    }),
  );
  const nothing = fixedPointMultiplier("test", 2 ** -40);
  assert.deepEqual(
    [1, 0].map((value) => smallestAccumulator(value, nothing)),
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
});
