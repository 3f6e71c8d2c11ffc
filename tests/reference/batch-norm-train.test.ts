import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchNormTrain } from "../../src/reference/batch-norm-train.js";
import { noise } from "../contracts/geometries.js";

const fl = Math.fround;

function normalized(x: Float32Array, gamma: Float32Array, beta: Float32Array, epsilon = fl(1e-3)) {
  const channels = gamma.length;
  const out = { y: new Float32Array(x.length), mean: new Float32Array(channels), variance: new Float32Array(channels) };
  batchNormTrain(x, gamma, beta, epsilon, out.y, out.mean, out.variance);
  return out;
}

describe("batchNormTrain", () => {
  it("takes the biased moments of each channel over the rows", () => {
    // Channel 0: 1, 3, 5, 7; channel 1: 2, 2, 2, 2. Epsilon 4 makes σ of channel 0 exactly 3, of channel 1 exactly 2.
    const x = Float32Array.of(1, 2, 3, 2, 5, 2, 7, 2);
    const { y, mean, variance } = normalized(x, Float32Array.of(6, 1), Float32Array.of(1, -1), 4);
    assert.deepEqual([...mean], [4, 2]);
    assert.deepEqual([...variance], [5, 0]);
    const k = fl(6 * fl(1 / 3));
    assert.deepEqual(
      [...y],
      [-3, -1, -1, -1, 1, -1, 3, -1].flatMap((d, i) => (i % 2 ? [-1] : [fl(fl(d * k) + 1)])),
    );
  });

  it("sums four partial sums, of rows 0, 4, … and so on, as (0 + 1) + (2 + 3)", () => {
    // 2^24 + 1 rounds to 2^24: each 1 that meets 2^24 alone is lost, those that meet first are kept.
    const big = 2 ** 24;
    const meanOf = (...rows: number[]): number => {
      return normalized(Float32Array.from(rows), Float32Array.of(1), Float32Array.of(0)).mean[0];
    };
    assert.equal(meanOf(big, 1, 1, 1), fl((big + 2) / 4)); // (2^24 + 1) + (1 + 1)
    assert.equal(meanOf(1, 1, big, 1), fl((big + 2) / 4)); // (1 + 1) + (2^24 + 1)
    assert.equal(meanOf(big, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), fl(big / 12)); // both ones meet 2^24 in partial sum 0
    assert.equal(meanOf(big, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0), fl((big + 2) / 12)); // they meet in partial sum 2
  });

  it("has mean 0 and variance 1 after normalization, to 1e-5, for a mean far above the spread", () => {
    const rows = 500;
    const x = noise(rows * 3, 5).map((v, i) => v + 1000 * (i % 3));
    const { y } = normalized(x, new Float32Array(3).fill(1), new Float32Array(3), fl(1e-12));
    for (let c = 0; c < 3; c++) {
      const values = Array.from({ length: rows }, (_, row) => y[row * 3 + c]);
      const mean = values.reduce((a, b) => a + b) / rows;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / rows;
      // The mean of values near 2000 is a float32, 2^-14 apart; the spread is 0.58.
      assert.ok(Math.abs(mean) < (c === 0 ? 1e-5 : 2 ** -13), `mean ${mean} of channel ${c}`);
      assert.ok(Math.abs(variance - 1) < 1e-5, `variance ${variance} of channel ${c}`);
    }
  });

  it("gamma 0 and variance 0 give beta", () => {
    const { y } = normalized(Float32Array.of(1, 7, 2, 7), Float32Array.of(0, 3), Float32Array.of(0.5, 0.25));
    assert.deepEqual([...y], [0.5, 0.25, 0.5, 0.25]);
  });

  it("may write over its input", () => {
    const x = noise(21, 6);
    const [gamma, beta] = [noise(3, 7), noise(3, 8)];
    const { y } = normalized(x, gamma, beta);
    batchNormTrain(x, gamma, beta, fl(1e-3), x, new Float32Array(3), new Float32Array(3));
    assert.deepEqual(x, y);
  });
});
