import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchNormTrain } from "../../src/reference/batch-norm-train.js";
import { batchNormTrainGradient } from "../../src/reference/batch-norm-train-gradient.js";
import { noise } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";

const epsilon = Math.fround(1e-3);

/** Batch normalization in float64. */
function exact(x: ArrayLike<number>, gamma: ArrayLike<number>, beta: ArrayLike<number>): Float64Array {
  const channels = gamma.length;
  const rows = x.length / channels;
  const y = new Float64Array(x.length);
  for (let c = 0; c < channels; c++) {
    const values = Array.from({ length: rows }, (_, row) => x[row * channels + c]);
    const mean = values.reduce((a, b) => a + b) / rows;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / rows;
    for (let row = 0; row < rows; row++) {
      y[row * channels + c] = ((values[row] - mean) * gamma[c]) / Math.sqrt(variance + epsilon) + beta[c];
    }
  }
  return y;
}

function gradients(dy: Float32Array, x: Float32Array, gamma: Float32Array) {
  const channels = gamma.length;
  const [mean, variance] = [new Float32Array(channels), new Float32Array(channels)];
  batchNormTrain(x, gamma, new Float32Array(channels), epsilon, new Float32Array(x.length), mean, variance);
  const [dx, dgamma, dbeta] = [x.length, channels, channels].map((length) => new Float32Array(length));
  batchNormTrainGradient(dy, x, gamma, mean, variance, epsilon, dx, dgamma, dbeta);
  return { dx, dgamma, dbeta };
}

describe("batchNormTrainGradient", () => {
  for (const [rows, channels] of [
    [2, 1],
    [7, 3],
    [32, 4],
  ]) {
    it(`is the derivative of batch normalization: ${rows} rows of ${channels} channels`, () => {
      const x = noise(rows * channels, 1).map((v, i) => v + (i % channels));
      const [dy, gamma, beta] = [noise(rows * channels, 2), noise(channels, 3), noise(channels, 4)];
      const { dx, dgamma, dbeta } = gradients(dy, x, gamma);
      // Central differences of steps of 1e-4 err by about 1e-8 of the third derivative, here up to 100 times the first;
      // the gradient by a few float32 roundings of sums that cancel.
      const near = { step: 1e-4, tolerance: 1e-5 };
      assertDerivative(dx, x, (v) => dot(dy, exact(v, gamma, beta)), near);
      assertDerivative(dgamma, gamma, (v) => dot(dy, exact(x, v, beta)), near);
      assertDerivative(dbeta, beta, (v) => dot(dy, exact(x, gamma, v)), near);
    });
  }

  it("the input's gradient sums to 0 over the rows: adding a constant changes nothing", () => {
    const { dx } = gradients(noise(400, 5), noise(400, 6), Float32Array.of(2, -1, 0.5, 3));
    const largest = Math.max(...dx.map(Math.abs));
    for (let c = 0; c < 4; c++) {
      const sum = dx.reduce((total, value, i) => (i % 4 === c ? total + value : total), 0);
      // 100 values, each within 1e-5 of the largest.
      assert.ok(Math.abs(sum) < 100 * 1e-5 * largest, `channel ${c}: ${sum}`);
    }
  });

  it("gamma 0 gives no gradient to the input, and one to gamma", () => {
    const { dx, dgamma } = gradients(noise(20, 7), noise(20, 8), Float32Array.of(0));
    assert.deepEqual(new Set(dx), new Set([0, -0]));
    assert.notEqual(dgamma[0], 0);
  });
});
