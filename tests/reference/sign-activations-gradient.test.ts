import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signActivationsGradient } from "../../src/reference/sign-activations-gradient.js";

describe("signActivationsGradient", () => {
  it("passes where |x| <= 1, both ends included, and nowhere else", () => {
    const x = Float32Array.of(-1 - 2 ** -23, -1, -0, 0.3, 1, 1 + 2 ** -23, Number.NaN, Number.NEGATIVE_INFINITY);
    const out = new Float32Array(8);
    signActivationsGradient(new Float32Array(8).fill(-2), x, out);
    assert.deepEqual([...out], [0, -2, -2, -2, -2, 0, 0, 0]);
  });
});
