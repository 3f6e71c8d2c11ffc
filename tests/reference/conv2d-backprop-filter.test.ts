import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conv2dBackpropFilter } from "../../src/reference/conv2d-backprop-filter.js";
import { geometryOf, nameOf, noise, WINDOWS } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";
import { denseWeights, forwardConv } from "./forward-conv.js";

// The convolution is linear in its weights, so difference quotients are exact but for the rounding of the result.
const EXACT = { step: 0.5, tolerance: 1e-6 };

describe("conv2dBackpropFilter", () => {
  it("sums input times gradient over the pixels, per tap", () => {
    // x 1 2 3 in one row, kernel of two columns, no padding: dy 10, 100 meet (1, 2) at tap 0 and (2, 3) at tap 1.
    const geometry = geometryOf({ batch: 1, input: [1, 3, 1], kernel: [1, 2], outChannels: 1, pad: "valid" });
    const out = new Float32Array(2);
    conv2dBackpropFilter(Float32Array.of(1, 2, 3), Float32Array.of(10, 100), geometry, out);
    assert.deepEqual(out, Float32Array.of(210, 320));
  });

  for (const window of WINDOWS) {
    const geometry = geometryOf({ ...window, input: [7, 6, 3], outChannels: 2 });
    if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
    it(`is the derivative of the convolution: ${nameOf(geometry)}`, () => {
      const x = noise(2 * 7 * 6 * 3, 1);
      const weights = noise(geometry.kernelHeight * geometry.kernelWidth * 6, 2);
      const dy = noise(forwardConv(x, geometry, () => 0).length, 3);
      const out = new Float32Array(weights.length);
      conv2dBackpropFilter(x, dy, geometry, out);
      assertDerivative(out, weights, (w) => dot(dy, forwardConv(x, geometry, denseWeights(w, geometry))), EXACT);
    });
  }
});
