import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { depthwiseBackpropFilter } from "../../src/reference/depthwise-backprop-filter.js";
import { geometryOf, nameOf, noise, WINDOWS } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";
import { depthwiseWeights, forwardConv } from "./forward-conv.js";

// The convolution is linear in its weights, so difference quotients are exact but for the rounding of the result.
const EXACT = { step: 0.5, tolerance: 1e-6 };

describe("depthwiseBackpropFilter", () => {
  it("keeps channels apart; channel c meets gradients c·multiplier and on", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 1, 2], kernel: [1, 1], outChannels: 4 });
    const out = new Float32Array(4);
    depthwiseBackpropFilter(Float32Array.of(2, 3), Float32Array.of(1, 10, 100, 1000), geometry, out);
    assert.deepEqual(out, Float32Array.of(2, 20, 300, 3000));
  });

  for (const window of WINDOWS) {
    for (const multiplier of [1, 3]) {
      const geometry = geometryOf({ ...window, input: [7, 6, 2], outChannels: 2 * multiplier });
      if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
      it(`is the derivative of the convolution: ${nameOf(geometry)}`, () => {
        const x = noise(2 * 7 * 6 * 2, 1);
        const weights = noise(geometry.kernelHeight * geometry.kernelWidth * geometry.outChannels, 2);
        const dy = noise(forwardConv(x, geometry, () => 0).length, 3);
        const out = new Float32Array(weights.length);
        depthwiseBackpropFilter(x, dy, geometry, out);
        assertDerivative(out, weights, (w) => dot(dy, forwardConv(x, geometry, depthwiseWeights(w, geometry))), EXACT);
      });
    }
  }
});
