import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signActivations } from "../../src/reference/sign-activations.js";

describe("signActivations", () => {
  it("1 from 0 on, −0 included; −1 below, subnormals and NaN included", () => {
    const x = Float32Array.of(0, -0, 2 ** -149, -(2 ** -149), 5, -5, Number.POSITIVE_INFINITY, Number.NaN);
    const out = new Float32Array(8);
    signActivations(x, out);
    assert.deepEqual([...out], [1, 1, 1, -1, 1, -1, 1, -1]);
  });
});
