import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { movingAverageObserver } from "../../src/index.js";

describe("movingAverageObserver", () => {
  it("the first batch initialises; then t = fl(decay · t + (1 − decay) · batch), decay 0.99", () => {
    const observer = movingAverageObserver();
    observer.observe(Float32Array.of(-1, 2));
    assert.deepEqual(observer.range({ bits: 8 }), { min: -1, max: 2 });
    observer.observe(Float32Array.of(-3, 7));
    const average = (t: number, batch: number): number => Math.fround(0.99 * t + (1 - 0.99) * batch);
    const expected = { min: [average(-1, -3)], max: [average(2, 7)] };
    assert.deepEqual(observer.toJSON(), { observer: "movingAverage", decay: 0.99, count: 2, ...expected });
    assert.equal(observer.count, 2);
  });

  it("the range contains 0; the state is the average itself", () => {
    const observer = movingAverageObserver({ decay: 0.5 });
    observer.observe(Float32Array.of(4, 8));
    observer.observe(Float32Array.of(2, 8));
    assert.deepEqual(observer.range({ bits: 8 }), { min: 0, max: 8 });
    assert.deepEqual(observer.toJSON().min, [3]);
    assert.deepEqual(observer.quantParams({ bits: 8 }), {
      scale: Math.fround(8 / 255),
      zeroPoint: -128,
      qmin: -128,
      qmax: 127,
    });
  });

  it("an error names the tensor and changes nothing", () => {
    const observer = movingAverageObserver();
    observer.observe(Float32Array.of(-1, 2));
    const state = observer.toJSON();
    assert.throws(() => observer.observe(Float32Array.of(Number.NEGATIVE_INFINITY), {}, 'calibrate: "conv1"'), {
      name: "QuantError",
      code: "non-finite",
      message: 'calibrate: "conv1": expected finite values, got -Infinity at index 0',
    });
    assert.deepEqual(observer.toJSON(), state);
  });

  it("has no merge, and says so", () => {
    assert.throws(() => movingAverageObserver().merge(movingAverageObserver()), {
      name: "QuantError",
      code: "unsupported",
      message:
        "movingAverageObserver.merge: expected an observer for which the order of batches does not matter, got a moving average; merge minMaxObserver or histogramObserver",
    });
  });
});
