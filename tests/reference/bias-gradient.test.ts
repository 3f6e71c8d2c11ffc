import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { biasGradient } from "../../src/reference/bias-gradient.js";

function sums(dy: number[], channels: number): number[] {
  const dbias = new Float32Array(channels);
  biasGradient(Float32Array.from(dy), dbias);
  return [...dbias];
}

describe("biasGradient", () => {
  it("is the sum over rows of each channel", () => {
    assert.deepEqual(sums([1, 10, 2, 20, 3, 30, 4, 40, 5, 50], 2), [15, 150]);
  });

  it("sums four partial sums, of rows 0, 4, … and so on, as (0 + 1) + (2 + 3)", () => {
    // 2^24 + 1 rounds to 2^24: a 1 that meets 2^24 alone is lost.
    const big = 2 ** 24;
    assert.deepEqual(sums([big, 1, 1, 1], 1), [big + 2]);
    assert.deepEqual(sums([big, 0, 0, 0, 1, 0, 0, 0, 1], 1), [big]);
  });
});
