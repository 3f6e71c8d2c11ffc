import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clipGradient } from "../../src/reference/clip-gradient.js";

function passes(x: number, lo: number, hi: number): boolean {
  const out = new Float32Array(1);
  clipGradient(Float32Array.of(-2), Float32Array.of(x), lo, hi, out);
  assert.ok(out[0] === -2 || Object.is(out[0], 0), `got ${out[0]}`);
  return out[0] === -2;
}

describe("clipGradient", () => {
  it("ReLU6: nothing at 0, all of it at 6", () => {
    const cases = [-1, -0, 0, 2 ** -149, 3, 6, 6 + 2 ** -21, Number.NaN];
    assert.deepEqual(
      cases.map((x) => passes(x, 0, 6)),
      [false, false, false, true, true, true, false, false],
    );
  });

  it("ReLU: everything above 0, infinity included", () => {
    const { POSITIVE_INFINITY: top, NaN: nan } = Number;
    assert.deepEqual(
      [-1, 0, 1, 3e38, top, nan].map((x) => passes(x, 0, top)),
      [false, false, true, true, true, false],
    );
  });
});
