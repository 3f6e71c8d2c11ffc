import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaWeightsGradient } from "../../src/reference/dorefa-weights-gradient.js";
import { noise } from "../contracts/geometries.js";
import { assertDerivative, dot } from "./finite-differences.js";

function gradientOf(dy: Float32Array, w: Float32Array): Float32Array {
  const out = new Float32Array(w.length);
  assert.equal(dorefaWeightsGradient(dy, w, out), true);
  return out;
}

/** dy · y for y = tanh(w) / max|tanh(w)|: the forward function without its rounding. */
function surrogate(dy: Float32Array) {
  return (w: Float64Array): number => {
    const t = w.map(Math.tanh);
    const largest = t.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0);
    return dot(dy, t) / largest;
  };
}

describe("dorefaWeightsGradient", () => {
  it("equals finite differences of the surrogate, through tanh and the maximum", () => {
    for (const [n, size] of [
      [1, 1],
      [2, 0.5],
      [7, 2],
      [67, 1],
      [40, 0.01],
    ]) {
      const w = noise(n, n).map((value) => value * size);
      const dy = noise(n, n + 1);
      // One weight alone is always ±1: its derivative is 0, up to the rounding of two equal terms.
      if (n === 1) assert.ok(Math.abs(gradientOf(dy, w)[0]) < 1e-6);
      else assertDerivative(gradientOf(dy, w), w, surrogate(dy), { step: 1e-5 * size, tolerance: 1e-5 });
    }
  });

  it("the maximum has its own term: without it the difference would be far off", () => {
    const w = Float32Array.of(0.9, -0.3, 0.4, 0.1);
    const dy = Float32Array.of(1, -2, 3, 1);
    const t = w.map(Math.tanh);
    const straight = (dy[0] * (1 - t[0] ** 2)) / t[0];
    assert.ok(Math.abs(gradientOf(dy, w)[0] - straight) > 0.5);
  });

  it("weights that share the maximum share its term alike, each with its sign", () => {
    const w = Float32Array.of(0.8, 0.2, -0.8, 0.8);
    const dy = Float32Array.of(0, 1, 0, 0);
    const [a, , b, c] = gradientOf(dy, w);
    const T = Math.tanh(w[0]);
    const whole = (Math.tanh(w[1]) * (1 - T * T)) / (T * T);
    assert.ok(Math.abs(a + whole / 3) < 1e-6, `${a}`);
    assert.deepEqual([b, c], [-a, a]);
  });

  it("only zeros give zeros; large weights, whose tanh is 1, get 0", () => {
    assert.deepEqual([...gradientOf(Float32Array.of(1, 2), Float32Array.of(0, -0))], [0, 0]);
    assert.deepEqual([...gradientOf(Float32Array.of(1, 2), Float32Array.of(20, -30))], [0, 0]);
  });

  it("NaN in dy spreads through the sum; NaN and infinities in w are refused, and out is untouched", () => {
    const [own, other, largest] = gradientOf(Float32Array.of(Number.NaN, 1, 1), Float32Array.of(0.1, 0.2, 0.3));
    assert.deepEqual([own, Number.isFinite(other), largest], [Number.NaN, true, Number.NaN]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const out = Float32Array.of(7, 7);
      assert.equal(dorefaWeightsGradient(Float32Array.of(1, 1), Float32Array.of(1, bad), out), false);
      assert.deepEqual([...out], [7, 7]);
    }
  });
});
