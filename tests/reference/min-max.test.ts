import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { channelView, tensorView } from "../../src/core/shape.js";
import { minMax } from "../../src/reference/min-max.js";

describe("reference minMax", () => {
  it("of each channel; zeros come out as +0", () => {
    const min = new Float32Array(2);
    const max = new Float32Array(2);
    assert.equal(minMax(Float32Array.of(1, -0, -2, 0), channelView([2, 2], 1), min, max), true);
    assert.deepEqual([...min, ...max], [-2, 0, 1, 0]);
    assert.ok(Object.is(min[1], 0) && Object.is(max[1], 0));
  });

  it("returns false for NaN and infinities", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.equal(minMax(Float32Array.of(1, bad, 2), tensorView(3), new Float32Array(1), new Float32Array(1)), false);
    }
  });
});
