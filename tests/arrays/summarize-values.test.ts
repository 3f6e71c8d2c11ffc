import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { summarizeValues } from "../../src/arrays/summarize-values.js";

test("16 equal parts of the range, the largest value in the last", () => {
  const { min, max, histogram } = summarizeValues(Float32Array.of(-8, -7.5, -7, 0, 7, 7.5, 8));
  assert.deepEqual([min, max], [-8, 8]);
  assert.deepEqual(histogram, [2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3]);
});

test("equal values stand in the middle", () => {
  const { min, max, histogram } = summarizeValues([-0, 0, 0]);
  assert.deepEqual([Object.is(min, 0), Object.is(max, 0)], [true, true]);
  assert.deepEqual(histogram, [0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
});

test("NaN and infinities are counted apart", () => {
  const some = summarizeValues(Float32Array.of(1, Number.NaN, 2, Number.POSITIVE_INFINITY));
  assert.deepEqual([some.min, some.max, some.nonFinite, some.firstNonFinite], [1, 2, 2, 1]);
  const none = summarizeValues([Number.NaN]);
  assert.deepEqual([none.min, none.max, none.nonFinite, none.firstNonFinite], [Number.NaN, Number.NaN, 1, 0]);
  assert.deepEqual(none.histogram, new Array(16).fill(0));
});

test("every finite value is counted once, in the part its definition says", () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, maxLength: 67 }), (x) => {
      const { min, max, histogram, nonFinite, firstNonFinite } = summarizeValues(x);
      const finite = [...x].filter(Number.isFinite);
      assert.equal(nonFinite, x.length - finite.length);
      assert.equal(
        firstNonFinite,
        x.findIndex((value) => !Number.isFinite(value)),
      );
      assert.equal(
        histogram.reduce((a, b) => a + b, 0),
        finite.length,
      );
      if (finite.length === 0) return;
      assert.deepEqual([min, max], [Math.min(...finite) + 0, Math.max(...finite) + 0]);
      assert.equal(histogram.length, 16);
      assert.ok(max === min || (histogram[0] > 0 && histogram[15] > 0));
    }),
  );
});
