import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type MinMaxObserver, minMaxObserver, movingAverageObserver } from "../../src/index.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const tensor = fc.array(finite, { minLength: 1, maxLength: 20 });

function seen(tensors: readonly (readonly number[])[]): MinMaxObserver {
  const observer = minMaxObserver();
  for (const values of tensors) observer.observe(Float32Array.from(values));
  return observer;
}

describe("minMaxObserver", () => {
  it("parts merge into exactly the whole, in any split and order", () => {
    fc.assert(
      fc.property(fc.array(tensor), fc.array(tensor), (a, b) => {
        const whole = seen([...a, ...b]).toJSON();
        for (const [first, second] of [
          [a, b],
          [b, a],
        ]) {
          const merged = seen(first);
          merged.merge(seen(second));
          assert.deepEqual(merged.toJSON(), whole);
        }
      }),
    );
  });

  it("merges channels", () => {
    const [observer, other] = [minMaxObserver(), minMaxObserver()];
    other.observe(Float32Array.of(1, -2, 3, 4), { shape: [2, 2], axis: 1 });
    observer.merge(other);
    observer.observe(Float32Array.of(-1, 9), { shape: [1, 2], axis: 1 });
    assert.deepEqual(observer.toJSON(), { observer: "minMax", count: 2, min: [-1, -2], max: [3, 9], axis: 1 });
    assert.deepEqual(other.toJSON(), { observer: "minMax", count: 1, min: [1, -2], max: [3, 4], axis: 1 });
    assert.equal(observer.count, 2);
  });

  it("the range contains 0; the state is what was seen", () => {
    const observer = seen([[2, 5]]);
    assert.deepEqual(observer.range({ bits: 8 }), { min: 0, max: 5 });
    assert.deepEqual(observer.toJSON(), { observer: "minMax", count: 1, min: [2], max: [5] });
    const channels = minMaxObserver();
    channels.observe(Float32Array.of(1, -2, 3, -4), { shape: [2, 2], axis: 1 });
    assert.deepEqual(channels.range({ bits: 8 }), { min: Float32Array.of(0, -4), max: Float32Array.of(3, 0) });
    assert.deepEqual(channels.quantParams({ bits: 8 }), {
      scale: Float32Array.of(3 / 255, 4 / 255),
      zeroPoint: Int32Array.of(-128, 127),
      qmin: -128,
      qmax: 127,
      axis: 1,
    });
  });

  it("refuses", () => {
    const channels = minMaxObserver();
    channels.observe(new Float32Array(6), { shape: [2, 3], axis: 1 });
    const cases: [() => unknown, string, string][] = [
      [
        () => minMaxObserver().observe(Float32Array.of(0, Number.NaN), {}, 'calibrate: "conv1"'),
        "QuantError",
        'calibrate: "conv1": expected finite values, got NaN at index 1',
      ],
      [
        () => minMaxObserver().range({ bits: 8 }),
        "QuantError",
        "minMaxObserver.range: expected observed data, got none; call observe() first",
      ],
      [
        () => minMaxObserver().quantParams({ bits: 8 }, 'calibrate: "conv1"'),
        "QuantError",
        'calibrate: "conv1": expected observed data, got none; call observe() first',
      ],
      [
        () => minMaxObserver().merge(movingAverageObserver()),
        "TypeError",
        "minMaxObserver.merge: expected another minMax observer, got a movingAverage observer",
      ],
      [
        () => channels.merge(seen([[1]])),
        "RangeError",
        "minMaxObserver.merge: expected 3 channels as in the tensors before, got 1",
      ],
      [
        () => channels.observe(new Float32Array(4), { shape: [2, 2], axis: 1 }),
        "RangeError",
        "minMaxObserver.observe: expected 3 channels as in the tensors before, got 2",
      ],
    ];
    const state = channels.toJSON();
    for (const [call, name, message] of cases) assert.throws(call, { name, message });
    assert.deepEqual(channels.toJSON(), state);
  });
});
