import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaGradients } from "../../src/reference/dorefa-gradients.js";
import { noise } from "../contracts/geometries.js";

function rounded(dr: readonly number[], bits: number, batch = 1, key = 1, first = 0): number[] {
  const out = new Float32Array(dr.length);
  assert.equal(dorefaGradients(Float32Array.from(dr), bits, { batch, key, first }, out), true);
  return [...out];
}

describe("dorefaGradients", () => {
  it("1 bit gives ±m, other bits values on the grid of the sample's own maximum", () => {
    const dr = [...noise(64, 1)];
    const m = Math.max(...dr.map(Math.abs));
    assert.deepEqual([...new Set(rounded(dr, 1).map(Math.abs))], [Math.fround(m)]);
    for (const value of rounded(dr, 3)) {
      const code = ((value / m) * 7 + 7) / 2;
      assert.ok(Math.abs(code - Math.round(code)) < 1e-5, `${value} is no code`);
    }
  });

  it("values on the grid stay as they are, whatever the noise", () => {
    for (let bits = 1; bits <= 8; bits++) {
      const n = 2 ** bits - 1;
      const grid = Array.from({ length: n + 1 }, (_, code) => 2 * code - n);
      for (let key = 0; key < 50; key++) {
        const found = rounded(grid, bits, 1, key * 7919);
        for (const [i, value] of grid.entries()) assert.ok(Math.abs(found[i] - value) <= n * 2 ** -23, `${bits} bits`);
        assert.deepEqual([found[0], found[n]], [-n, n]);
      }
    }
  });

  it("a value goes to one of its two neighbours on the grid", () => {
    for (let bits = 1; bits <= 8; bits++) {
      const step = 2 / (2 ** bits - 1);
      const dr = [1, ...noise(500, bits)];
      for (const [i, value] of rounded(dr, bits).entries()) {
        assert.ok(Math.abs(value - Math.fround(dr[i])) <= step * (1 + 2 ** -12), `${dr[i]} became ${value}`);
      }
    }
  });

  it("each sample has its own maximum; a sample of zeros gives zeros", () => {
    const found = rounded([1e-3, -1e-3, 0, -0, 5, -5], 1, 3);
    assert.deepEqual(found, [Math.fround(1e-3), -Math.fround(1e-3), 0, 0, 5, -5]);
    assert.ok(Object.is(found[3], 0));
  });

  it("the largest and the smallest floats keep their size", () => {
    for (const size of [3.4e38, 2 ** -149, 2 ** -126].map(Math.fround)) {
      assert.deepEqual(rounded([size, -size], 4), [size, -size]);
    }
  });

  it("NaN and infinities in any sample are refused, and out is untouched", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const out = new Float32Array(4).fill(7);
      assert.equal(dorefaGradients(Float32Array.of(1, 2, 3, bad), 4, { batch: 2, key: 1, first: 0 }, out), false);
      assert.deepEqual([...out], [7, 7, 7, 7]);
    }
  });
});
