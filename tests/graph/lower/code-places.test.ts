import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  countAccumulators,
  countDifferences,
  integerPlaces,
  largestDifference,
  placesOf,
} from "../../../src/graph/lower/code-places.js";
import { fixedPointMultiplier } from "../../../src/reference/fixed-point-multiplier.js";
import { roundOnce } from "../../../src/reference/requantize.js";

const GRID = { qmin: -3, qmax: 4 };

/** The accumulators one by one. */
function each({ least, greatest, step }: { least: number; greatest: number; step: number }): number[] {
  return Array.from({ length: (greatest - least) / step + 1 }, (_, i) => least + i * step);
}

const sums = fc
  .record({
    least: fc.integer({ min: -50, max: 50 }),
    steps: fc.integer({ min: 0, max: 60 }),
    step: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ least, steps, step }) => ({ least, greatest: least + steps * step, step }));

describe("code places", () => {
  it("by hand: codes −3, −3, −1, 2, 2", () => {
    const codes = [-3, -3, -1, 2, 2];
    const places = placesOf((acc) => codes[acc / 2], { least: 0, greatest: 8, step: 2 }, GRID);
    assert.deepEqual(places, [2, 2, 3, 3, 3, 5, 5]);
    assert.equal(countAccumulators({ least: 0, greatest: 8, step: 2 }), 5);
    const others = placesOf((acc) => [-3, -2, -1, 0, 2][acc / 2], { least: 0, greatest: 8, step: 2 }, GRID);
    assert.equal(countDifferences(places, others), 2);
    assert.equal(countDifferences(places, places), 0);
    assert.deepEqual([largestDifference(places, others, 5), largestDifference(places, places, 5)], [2, 0]);
  });

  it("integerPlaces finds what bisection finds", () => {
    fc.assert(
      fc.property(
        sums,
        fc.double({ min: 0.001, max: 2, noNaN: true }),
        fc.integer({ min: -99, max: 99 }),
        (all, M, bias) => {
          const multiplier = fixedPointMultiplier("test", M);
          const output = { ...GRID, zeroPoint: 1 };
          const codeOf = (acc: number): number => Math.max(-3, Math.min(4, 1 + roundOnce(bias + acc, multiplier)));
          assert.deepEqual(integerPlaces(multiplier, all, output)(bias), placesOf(codeOf, all, GRID));
        },
      ),
    );
  });

  it("countDifferences counts what looking at each accumulator counts", () => {
    const codes = fc
      .array(fc.integer({ min: -3, max: 4 }), { minLength: 20, maxLength: 20 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(codes, codes, (a, b) => {
        const range = { least: 0, greatest: 19, step: 1 };
        const places = [a, b].map((all) => placesOf((acc) => all[acc], range, GRID));
        const expected = each(range).filter((acc) => a[acc] !== b[acc]).length;
        assert.equal(countDifferences(places[0], places[1]), expected);
        const apart = a.map((code, i) => Math.abs(code - b[i]));
        assert.equal(largestDifference(places[0], places[1], 20), Math.max(...apart));
      }),
    );
  });
});
