import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaActivationsGradient } from "../../src/reference/dorefa-activations-gradient.js";

describe("dorefaActivationsGradient", () => {
  it("passes where 0 <= x <= 1, both ends included, and nowhere else", () => {
    const x = Float32Array.of(-(2 ** -149), -0, 0, 0.3, 1, 1 + 2 ** -23, Number.NaN, Number.POSITIVE_INFINITY, -3);
    const out = new Float32Array(9);
    dorefaActivationsGradient(new Float32Array(9).fill(-2), x, out);
    assert.deepEqual([...out], [0, -2, -2, -2, -2, 0, 0, 0, 0]);
  });

  it("another upper end, included", () => {
    const out = new Float32Array(4);
    dorefaActivationsGradient(new Float32Array(4).fill(3), Float32Array.of(0, 1.5, 6, 6 + 2 ** -21), out, 6);
    assert.deepEqual([...out], [3, 3, 3, 0]);
  });
});
