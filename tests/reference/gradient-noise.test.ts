import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mix, noiseAt, noiseKey } from "../../src/reference/gradient-noise.js";

/** lowbias32 by its definition, in exact arithmetic. */
function lowbias32(x: number): number {
  const mask = 0xffffffffn;
  let h = BigInt(x) & mask;
  h = ((h ^ (h >> 16n)) * 0x7feb352dn) & mask;
  h = ((h ^ (h >> 15n)) * 0x846ca68bn) & mask;
  return Number(h ^ (h >> 16n));
}

describe("mix", () => {
  it("is lowbias32 of its argument mod 2^32", () => {
    for (const x of [0, 1, 2, 12345, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 5, 0xdeadbeef]) {
      assert.equal(mix(x), lowbias32(x), `${x}`);
    }
  });
});

describe("noiseKey", () => {
  it("is mix(mix(mix(seed) + step) + tensor) mod 2^32", () => {
    for (const [seed, step, tensor] of [
      [0, 0, 0],
      [7, 1000, 3],
      [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1],
    ]) {
      assert.equal(noiseKey({ seed, step, tensor }), lowbias32(lowbias32(lowbias32(seed) + step) + tensor));
    }
  });
});

describe("noiseAt", () => {
  it("is uniform in [−½, ½): a multiple of 2^−24, mean 0, variance 1/12", () => {
    const n = 2 ** 18;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      const sigma = noiseAt(12345, i);
      assert.ok(sigma >= -0.5 && sigma < 0.5 && Number.isInteger(sigma * 2 ** 24));
      sum += sigma;
      squares += sigma * sigma;
    }
    // Four standard errors: σ/√n of the mean, and √(1/180)/√n of the variance.
    assert.ok(Math.abs(sum / n) < (4 * Math.sqrt(1 / 12)) / Math.sqrt(n), `mean ${sum / n}`);
    assert.ok(Math.abs(squares / n - 1 / 12) < (4 * Math.sqrt(1 / 180)) / Math.sqrt(n), `variance ${squares / n}`);
  });
});
