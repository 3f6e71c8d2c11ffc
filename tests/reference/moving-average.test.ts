import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { movingAverage } from "../../src/reference/moving-average.js";

describe("reference movingAverage", () => {
  it("computes in float64 and rounds once", () => {
    const state = Float32Array.of(1, -1, 0.1);
    movingAverage(state, Float32Array.of(3, -1, 0.3), 0.99);
    const tenth = Math.fround(0.1);
    assert.deepEqual(
      [...state],
      [Math.fround(0.99 + (1 - 0.99) * 3), -1, Math.fround(0.99 * tenth + (1 - 0.99) * Math.fround(0.3))],
    );
  });

  it("decay 0 takes the batch", () => {
    const state = Float32Array.of(5);
    movingAverage(state, Float32Array.of(-2), 0);
    assert.deepEqual([...state], [-2]);
  });
});
