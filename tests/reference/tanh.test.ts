import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tanh } from "../../src/reference/tanh.js";

const INFINITY_BITS = 0x7f800000;
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function floatOf(pattern: number): number {
  bits[0] = pattern;
  return float[0];
}

/** Distance of y from tanh(x) in steps of float32 at tanh(x); x > 0. */
function ulpsOff(x: number, y: number): number {
  const exact = Math.tanh(x);
  return Math.abs(y - exact) / 2 ** (Math.max(Math.floor(Math.log2(exact)), -126) - 23);
}

/** Bit patterns of positive floats: every 509th (an odd stride, so that all low bits occur), and where the formula changes. */
function* patterns(): Generator<number> {
  for (let pattern = 0; pattern <= INFINITY_BITS; pattern += 509) {
    yield pattern;
    // Below 2^-15 the formula is x but for its rounding, and above 10 it is 1: fewer will do.
    if (pattern < 0x38000000 || pattern > 0x41200000) pattern += 509 * 256;
  }
}

/** 400 floats on either side of multiples of ln 2 / 2, of powers of two and of the last argument that is not 1. */
function* neighbourhoods(): Generator<number[]> {
  const centres = [2 ** -149, 2 ** -126, 2 ** -12, 9.010913848876953];
  for (let n = 1; n <= 26; n++) centres.push((n * Math.LN2) / 2);
  for (let e = -20; e <= 3; e++) centres.push(2 ** e);
  for (const centre of centres) {
    float[0] = centre;
    const middle = bits[0];
    yield Array.from({ length: 800 }, (_, i) => floatOf(Math.max(0, middle - 400 + i)));
  }
}

describe("tanh", () => {
  it("error <= 3 ulp and monotone, every 509th float and 800 about each place where the formula changes", () => {
    let [worst, before] = [0, 0];
    for (const pattern of patterns()) {
      const x = floatOf(pattern);
      const y = tanh(x);
      assert.ok(y >= before, `tanh(${x}) is ${y}, less than ${before}`);
      before = y;
      worst = Math.max(worst, ulpsOff(x, y));
    }
    for (const floats of neighbourhoods()) {
      before = 0;
      for (const x of floats) {
        const y = tanh(x);
        assert.ok(y >= before, `tanh(${x}) is ${y}, less than ${before}`);
        before = y;
        worst = Math.max(worst, ulpsOff(x, y));
      }
    }
    assert.ok(worst <= 3, `${worst} ulp`);
    // The worst of all floats is 2.73: a much smaller error here would mean that this test looks at too few.
    assert.ok(worst > 2.4, `${worst} ulp`);
  });

  it("is odd, keeps the sign of zero, and is exactly ±1 from 9.011 on", () => {
    for (const x of [2 ** -149, 1e-20, 0.1, 0.5, 1, 3, 9]) assert.equal(tanh(-x), -tanh(x));
    assert.ok(Object.is(tanh(0), 0) && Object.is(tanh(-0), -0));
    for (const x of [9.011, 10, 3.4e38, Number.POSITIVE_INFINITY]) {
      assert.deepEqual([tanh(Math.fround(x)), tanh(-Math.fround(x))], [1, -1]);
    }
    assert.equal(tanh(8.5), 1 - 2 ** -24);
  });

  it("subnormal numbers are their own tanh", () => {
    for (let i = 0; i < 60; i++) {
      const x = floatOf(Math.floor(1.3 ** i) & 0x3fffff);
      assert.equal(tanh(x), x);
    }
  });

  it("has the bits that tests/assembly/core/tanh.spec.ts expects of the vector form", () => {
    let sum = 0;
    for (let pattern = 0; pattern < INFINITY_BITS; pattern += 40_009) {
      float[0] = tanh(floatOf(pattern));
      sum = (Math.imul(sum, 31) + bits[0]) | 0;
    }
    assert.equal(sum, 1550689402);
  });
});
