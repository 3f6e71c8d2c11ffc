import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchNormTrain } from "../../src/reference/batch-norm-train.js";
import { moments } from "../../src/reference/moments.js";
import { noise } from "../contracts/geometries.js";

function momentsOf(x: Float32Array, channels: number): [Float32Array, Float32Array] {
  const [mean, variance] = [new Float32Array(channels), new Float32Array(channels)];
  moments(x, mean, variance);
  return [mean, variance];
}

describe("moments", () => {
  it("mean and biased variance of each channel", () => {
    const [mean, variance] = momentsOf(Float32Array.of(1, 2, 3, 2, 5, 2, 7, 2), 2);
    assert.deepEqual([...mean], [4, 2]);
    assert.deepEqual([...variance], [5, 0]);
  });

  it("sums four partial sums, of rows 0, 4, … and so on, as (0 + 1) + (2 + 3)", () => {
    // 2^24 + 1 rounds to 2^24: a 1 that meets 2^24 alone is lost.
    const big = 2 ** 24;
    assert.equal(momentsOf(Float32Array.of(big, 0, 0, 0, 1, 0, 0, 0), 1)[0][0], big / 8);
    assert.equal(momentsOf(Float32Array.of(big, 0, 1, 0, 0, 0, 1, 0), 1)[0][0], (big + 2) / 8);
  });

  it("are those of batch normalization, bit for bit", () => {
    const x = noise(19 * 5, 1).map((v, i) => v + (i % 5) * 100);
    const [mean, variance, y] = [new Float32Array(5), new Float32Array(5), new Float32Array(x.length)];
    batchNormTrain(x, noise(5, 2), noise(5, 3), Math.fround(1e-3), y, mean, variance);
    assert.deepEqual(momentsOf(x, 5), [mean, variance]);
  });
});
