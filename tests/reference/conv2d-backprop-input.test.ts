import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conv2dBackpropInput } from "../../src/reference/conv2d-backprop-input.js";
import { geometryOf, nameOf, noise, WINDOWS } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";
import { denseWeights, forwardConv } from "./forward-conv.js";

// The convolution is linear in its input, so difference quotients are exact but for the rounding of the result.
const EXACT = { step: 0.5, tolerance: 1e-6 };

describe("conv2dBackpropInput", () => {
  it("sums gradient times weight over the windows that see the pixel", () => {
    // Weights 1, 2 over three columns: pixel 0 is seen by window 0 at tap 0, pixel 1 by both, pixel 2 by window 1 at tap 1.
    const geometry = geometryOf({ batch: 1, input: [1, 3, 1], kernel: [1, 2], outChannels: 1, pad: "valid" });
    const out = new Float32Array(3);
    conv2dBackpropInput(Float32Array.of(10, 100), Float32Array.of(1, 2), geometry, out);
    assert.deepEqual(out, Float32Array.of(10, 120, 200));
  });

  for (const window of WINDOWS) {
    const geometry = geometryOf({ ...window, input: [7, 6, 3], outChannels: 2 });
    if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
    it(`is the derivative of the convolution: ${nameOf(geometry)}`, () => {
      const x = noise(2 * 7 * 6 * 3, 1);
      const weights = noise(geometry.kernelHeight * geometry.kernelWidth * 6, 2);
      const dy = noise(forwardConv(x, geometry, () => 0).length, 3);
      const out = new Float32Array(x.length);
      conv2dBackpropInput(dy, weights, geometry, out);
      assertDerivative(out, x, (v) => dot(dy, forwardConv(v, geometry, denseWeights(weights, geometry))), EXACT);
    });
  }
});
