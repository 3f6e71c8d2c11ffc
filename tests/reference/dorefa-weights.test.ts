import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaWeights } from "../../src/reference/dorefa-weights.js";
import { noise } from "../contracts/geometries.js";

const fl = Math.fround;

function rounded(w: readonly number[], bits: number): number[] {
  const out = new Float32Array(w.length);
  assert.equal(dorefaWeights(Float32Array.from(w), bits, out), true);
  return [...out];
}

describe("dorefaWeights", () => {
  it("1 bit: the sign times the mean magnitude; both zeros count as positive", () => {
    assert.deepEqual(rounded([1, -2, 0, -0, 3], 1), [1.2, -1.2, 1.2, 1.2, 1.2].map(fl));
    assert.deepEqual(rounded([-3], 1), [-3]);
  });

  it("1 bit: the sum is four partial sums by i mod 4, combined (0+1)+(2+3)", () => {
    // In one sum from left to right each 1 would vanish beside 2^24; in its own partial sum it does not.
    const w = [2 ** 24, 1, 1, 1, 0, 1, 1, 1];
    assert.deepEqual(
      rounded(w, 1),
      w.map(() => (2 ** 24 + 2 + 4) / 8),
    );
    assert.notEqual(fl(fl(2 ** 24 + 1) + 1), 2 ** 24 + 2);
  });

  it("2 bits: the nearest of -1, -1/3, 1/3, 1 to tanh(w) over its maximum; the middle goes up", () => {
    const third = fl(1 / 3);
    assert.deepEqual(rounded([2, -2, 0, -0, 0.5, -0.5, 1, -1], 2), [1, -1, third, third, third, -third, 1, -1]);
  });

  it("is the paper's formula in float64, but for values close to a tie", () => {
    for (const bits of [2, 3, 4, 5, 6, 7, 8]) {
      const n = 2 ** bits - 1;
      const w = noise(5000, bits).map((value) => value * 1.5);
      const out = new Float32Array(w.length);
      dorefaWeights(w, bits, out);
      const most = Math.tanh(w.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0));
      let close = 0;
      for (const [i, value] of w.entries()) {
        const exact = n * (Math.tanh(value) / (2 * most) + 0.5);
        // tanh is up to 3 ulp off, and two divisions and a sum are rounded: less than 2^-21 of the range.
        const near = Math.abs(Math.abs(exact - Math.floor(exact)) - 0.5) < n * 2 ** -21;
        if (near) close++;
        else assert.equal(out[i], fl((2 * Math.round(exact) - n) * fl(1 / n)), `${bits} bits, w ${value}`);
      }
      assert.ok(close < 20, `${close} close to a tie`);
    }
  });

  it("the largest weights become exactly ±1, whatever their size", () => {
    for (const size of [2 ** -149, 1e-30, 0.3, 5, 3e38]) {
      for (let bits = 2; bits <= 16; bits++) assert.deepEqual(rounded([-size, size], bits), [-1, 1]);
    }
  });

  it("only zeros: the quotient is 0, which is the upper of the two middle codes; 1 bit: 0", () => {
    assert.deepEqual(rounded([0, -0], 1), [0, 0]);
    for (let bits = 2; bits <= 16; bits++) {
      const value = fl(1 / (2 ** bits - 1));
      assert.deepEqual(rounded([0, -0, 0], bits), [value, value, value]);
    }
  });

  it("nothing gives nothing; NaN and infinities are refused, and out is untouched", () => {
    assert.deepEqual(rounded([], 4), []);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const out = Float32Array.of(7, 7);
      assert.equal(dorefaWeights(Float32Array.of(1, bad), 4, out), false);
      assert.deepEqual([...out], [7, 7]);
    }
  });
});
