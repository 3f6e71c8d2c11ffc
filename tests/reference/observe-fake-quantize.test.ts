import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { observeFakeQuantize } from "../../src/reference/observe-fake-quantize.js";

describe("reference observeFakeQuantize", () => {
  it("the first batch initialises the range; later ones move it", () => {
    const range = new Float32Array(2);
    const out = new Float32Array(2);
    const first = observeFakeQuantize(Float32Array.of(-1, 2), range, { first: true, decay: 0.75 }, { bits: 2 }, out);
    assert.deepEqual([...range], [-1, 2]);
    assert.deepEqual(first, { scale: 1, zeroPoint: -1, qmin: -2, qmax: 1 });
    assert.deepEqual(out, Float32Array.of(-1, 2));
    observeFakeQuantize(Float32Array.of(-5, 2), range, { first: false, decay: 0.75 }, { bits: 2 }, out);
    assert.deepEqual([...range], [-2, 2]);
  });

  it("rounds with the range after the update", () => {
    const range = Float32Array.of(-100, 100);
    const params = observeFakeQuantize(
      Float32Array.of(0, 15),
      range,
      { first: false, decay: 0 },
      { bits: 4, signed: false },
      new Float32Array(2),
    );
    assert.deepEqual(params, { scale: 1, zeroPoint: 0, qmin: 0, qmax: 15 });
  });

  it("returns undefined and changes nothing for NaN", () => {
    const range = Float32Array.of(-1, 1);
    const out = Float32Array.of(9);
    const step = { first: false, decay: 0.5 };
    assert.equal(observeFakeQuantize(Float32Array.of(Number.NaN), range, step, { bits: 8 }, out), undefined);
    assert.deepEqual([...range, ...out], [-1, 1, 9]);
  });
});
