import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaActivations } from "../../src/reference/dorefa-activations.js";

function rounded(x: readonly number[], bits: number): number[] {
  const out = new Float32Array(x.length);
  dorefaActivations(Float32Array.from(x), bits, out);
  return [...out];
}

describe("dorefaActivations", () => {
  it("clips to [0, 1] and rounds to n steps, ties to even", () => {
    assert.deepEqual(rounded([-1, -0, 0, 0.49, 0.5, 0.51, 1, 9], 1), [0, 0, 0, 0, 0, 1, 1, 1]);
    const [one, two] = [1, 2].map((code) => Math.fround(code * Math.fround(1 / 3)));
    assert.deepEqual(rounded([0.16, 0.17, 0.5, 0.83, 0.84], 2), [0, one, two, two, 1]);
  });

  it("both ends are on every grid", () => {
    for (let bits = 1; bits <= 16; bits++) assert.deepEqual(rounded([0, 1, 1e9], bits), [0, 1, 1]);
  });

  it("rounding after the maximum is the maximum of the rounded (eq. 8)", () => {
    const values = Array.from({ length: 200 }, (_, i) => Math.sin(i) * 1.3);
    const own = rounded(values, 3);
    for (let i = 1; i < values.length; i++) {
      assert.deepEqual(rounded([Math.max(values[i], values[i - 1])], 3), [Math.max(own[i], own[i - 1])]);
    }
  });

  it("another upper end: the grid goes from 0 to it", () => {
    const out = new Float32Array(6);
    dorefaActivations(Float32Array.of(-1, 0.99, 1, 1.01, 5.9, 99), 2, out, 6);
    assert.deepEqual([...out], [0, 0, 0, 2, 6, 6]);
  });

  it("never gives −0; NaN gives 0", () => {
    for (const value of rounded([-0, -0.001, Number.NaN, Number.NEGATIVE_INFINITY], 4)) assert.ok(Object.is(value, 0));
  });
});
