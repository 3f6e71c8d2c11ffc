import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxPoolGradient } from "../../src/reference/max-pool-gradient.js";
import { geometryOf, nameOf, noise, WINDOWS } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";

/** One 2 × 2 window over four values. */
function ofOneWindow(...x: number[]): Float32Array {
  const geometry = geometryOf({ batch: 1, input: [2, 2, 1], kernel: [2, 2], outChannels: 1, pad: "valid" });
  const out = new Float32Array(4);
  maxPoolGradient(Float32Array.of(5), Float32Array.from(x), geometry, out);
  return out;
}

describe("maxPoolGradient", () => {
  it("gives the gradient to the greatest", () =>
    assert.deepEqual(ofOneWindow(1, 2, 4, 3), Float32Array.of(0, 0, 5, 0)));

  it("of equal ones the first wins, row by row", () => {
    assert.deepEqual(ofOneWindow(1, 2, 2, 2), Float32Array.of(0, 5, 0, 0));
    assert.deepEqual(ofOneWindow(0, -0, 0, -0), Float32Array.of(5, 0, 0, 0));
  });

  it("NaN never wins; a window of NaN and −Infinity has no winner", () => {
    const { NaN: nan, NEGATIVE_INFINITY: low } = Number;
    assert.deepEqual(ofOneWindow(nan, -3, nan, -4), Float32Array.of(0, 5, 0, 0));
    assert.deepEqual(ofOneWindow(nan, low, low, nan), Float32Array.of(0, 0, 0, 0));
  });

  it("padding takes no part", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 1, 1], kernel: [3, 3], outChannels: 1 });
    const out = new Float32Array(1);
    maxPoolGradient(Float32Array.of(5), Float32Array.of(-7), geometry, out);
    assert.deepEqual(out, Float32Array.of(5));
  });

  it("an element that wins several windows gets the sum", () => {
    const geometry = geometryOf({ batch: 1, input: [1, 3, 1], kernel: [1, 2], outChannels: 1, pad: "valid" });
    const out = new Float32Array(3);
    maxPoolGradient(Float32Array.of(5, 7), Float32Array.of(1, 3, 2), geometry, out);
    assert.deepEqual(out, Float32Array.of(0, 12, 0));
  });

  for (const window of WINDOWS) {
    const geometry = geometryOf({ ...window, input: [7, 6, 2], outChannels: 2 });
    if (geometry.outHeight < 1 || geometry.outWidth < 1) continue;
    it(`is the derivative of the maximum: ${nameOf(geometry)}`, () => {
      const g = geometry;
      const maxima = (x: ArrayLike<number>): Float64Array =>
        Float64Array.from({ length: g.batch * g.outHeight * g.outWidth * 2 }, (_, at) => {
          const [c, q, r] = [at % 2, (at >> 1) % g.outWidth, Math.floor((at >> 1) / g.outWidth) % g.outHeight];
          const n = Math.floor(at / (2 * g.outWidth * g.outHeight));
          let greatest = Number.NEGATIVE_INFINITY;
          for (let i = 0; i < g.kernelHeight; i++) {
            for (let j = 0; j < g.kernelWidth; j++) {
              const y = r * g.strideHeight + i * g.dilationHeight - g.padTop;
              const column = q * g.strideWidth + j * g.dilationWidth - g.padLeft;
              if (y < 0 || y >= 7 || column < 0 || column >= 6) continue;
              greatest = Math.max(greatest, x[((n * 7 + y) * 6 + column) * 2 + c]);
            }
          }
          return greatest;
        });
      // All different, a hundredth apart: a step of a thousandth changes no winner.
      const x = Float32Array.from({ length: 2 * 7 * 6 * 2 }, (_, i) => ((i * 101) % 168) / 100);
      const dy = noise(g.batch * g.outHeight * g.outWidth * 2, 3);
      const out = new Float32Array(x.length);
      maxPoolGradient(dy, x, geometry, out);
      // A window over nothing but padding has no maximum, and no element a derivative through it.
      const seen = maxima(x).map((value) => (value === Number.NEGATIVE_INFINITY ? 0 : 1));
      const loss = (v: Float64Array): number =>
        dot(
          dy.map((d, i) => d * seen[i]),
          maxima(v).map((m, i) => (seen[i] ? m : 0)),
        );
      assertDerivative(out, x, loss, { step: 1e-3, tolerance: 1e-6 });
    });
  }
});
