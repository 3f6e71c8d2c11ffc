import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { depthwiseBackpropInput } from "../../src/reference/depthwise-backprop-input.js";
import { geometryOf, nameOf, noise, WINDOWS } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";
import { depthwiseWeights, forwardConv } from "./forward-conv.js";

// The convolution is linear in its input, so difference quotients are exact but for the rounding of the result.
const EXACT = { step: 0.5, tolerance: 1e-6 };

describe("depthwiseBackpropInput", () => {
  it("adds what the multiplier spread out", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 1, 2], kernel: [1, 1], outChannels: 4 });
    const out = new Float32Array(2);
    depthwiseBackpropInput(Float32Array.of(1, 10, 100, 1000), Float32Array.of(2, 3, 4, 5), geometry, out);
    assert.deepEqual(out, Float32Array.of(32, 5400));
  });

  for (const window of WINDOWS) {
    for (const multiplier of [1, 3]) {
      const geometry = geometryOf({ ...window, input: [7, 6, 2], outChannels: 2 * multiplier });
      if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
      it(`is the derivative of the convolution: ${nameOf(geometry)}`, () => {
        const x = noise(2 * 7 * 6 * 2, 1);
        const weights = noise(geometry.kernelHeight * geometry.kernelWidth * geometry.outChannels, 2);
        const dy = noise(forwardConv(x, geometry, () => 0).length, 3);
        const out = new Float32Array(x.length);
        depthwiseBackpropInput(dy, weights, geometry, out);
        assertDerivative(out, x, (v) => dot(dy, forwardConv(v, geometry, depthwiseWeights(weights, geometry))), EXACT);
      });
    }
  }
});
