import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveParams } from "../../src/core/quant-params.js";
import { fakeQuantizeGradient } from "../../src/reference/fake-quantize-gradient.js";

function gradient(x: number[], params = { scale: 1, zeroPoint: 0, qmin: -4, qmax: 3 }): number[] {
  const dy = Float32Array.from(x, (_, i) => i + 1);
  const out = new Float32Array(x.length);
  fakeQuantizeGradient(dy, Float32Array.from(x), resolveParams("test", params, x.length), out);
  return Array.from(out);
}

describe("reference fakeQuantizeGradient", () => {
  it("passes where the rounded code is on the grid, its ends included", () => {
    assert.deepEqual(gradient([-4, 0, 3]), [1, 2, 3]);
    assert.deepEqual(gradient([-5, 4]), [0, 0]);
  });

  it("decides by the rounded code: ties to even at both ends", () => {
    // rne(3.5) = 4 is off the grid, the float below rounds to 3; rne(−4.5) = −4 is on it.
    assert.deepEqual(gradient([3.5, 3.4999998, -4.5, -4.5000005]), [0, 2, 3, 0]);
  });

  it("adds the zero point after rounding", () => {
    assert.deepEqual(gradient([2.5, 2.5000002], { scale: 1, zeroPoint: 1, qmin: -4, qmax: 3 }), [1, 0]);
  });

  it("stops at NaN and infinities", () => {
    assert.deepEqual(gradient([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]), [0, 0, 0]);
  });

  it("copies dy, NaN included", () => {
    const out = new Float32Array(1);
    const params = resolveParams("test", { scale: 1, zeroPoint: 0, qmin: -4, qmax: 3 }, 1);
    fakeQuantizeGradient(Float32Array.of(Number.NaN), new Float32Array(1), params, out);
    assert.deepEqual(out, Float32Array.of(Number.NaN));
  });
});
