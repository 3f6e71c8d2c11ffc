import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { channelView } from "../../src/core/shape.js";
import { foldBatchNormBias, foldBatchNormScale, foldBatchNormWeights } from "../../src/reference/fold-batch-norm.js";
import { fl } from "../../src/reference/rounding.js";

describe("reference batch-norm folding", () => {
  it("k = gamma/σ, rounded after each operation", () => {
    const k = new Float32Array(3);
    foldBatchNormScale(Float32Array.of(2, 0, -1), Float32Array.of(3, 5, 0), 1, k);
    assert.deepEqual([...k], [1, 0, -1]);
    const [gamma, variance, epsilon] = [1.1, 0.7, 1e-3].map(fl);
    foldBatchNormScale(Float32Array.of(gamma), Float32Array.of(variance), epsilon, k.subarray(0, 1));
    assert.equal(k[0], fl(gamma * fl(1 / fl(Math.sqrt(fl(variance + epsilon))))));
  });

  it("weights are multiplied along the output channels", () => {
    const out = new Float32Array(4);
    foldBatchNormWeights(Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 100), channelView([2, 2], 0), out);
    assert.deepEqual([...out], [10, 20, 300, 400]);
    foldBatchNormWeights(Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 100), channelView([2, 2], 1), out);
    assert.deepEqual([...out], [10, 200, 30, 400]);
  });

  it("bias: (b − mean)·k + beta", () => {
    const out = new Float32Array(1);
    foldBatchNormBias(Float32Array.of(5), Float32Array.of(3), Float32Array.of(0.5), Float32Array.of(-4), out);
    assert.deepEqual([...out], [-3]);
  });
});
