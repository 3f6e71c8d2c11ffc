import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  histogramObserver,
  minMaxObserver,
  movingAverageObserver,
  type Observer,
  observerFromJSON,
} from "../../src/index.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const tensors = fc.array(fc.array(finite, { minLength: 1, maxLength: 20 }), { maxLength: 4 });

const KINDS: Record<string, () => Observer> = {
  minMax: () => minMaxObserver(),
  "movingAverage, decay 0.75": () => movingAverageObserver({ decay: 0.75 }),
  percentile: () => histogramObserver({ method: "percentile", percentile: 99 }),
  mse: () => histogramObserver({ method: "mse" }),
};

const throughText = (observer: Observer): Observer => observerFromJSON(JSON.parse(JSON.stringify(observer)));

describe("observerFromJSON", () => {
  for (const [name, make] of Object.entries(KINDS)) {
    it(`${name}: goes on as if it had never been text, at any point`, () => {
      fc.assert(
        fc.property(tensors, tensors, (before, after) => {
          const observer = make();
          for (const values of before) observer.observe(Float32Array.from(values));
          const other = throughText(observer);
          assert.deepEqual(other.toJSON(), observer.toJSON());
          for (const values of after) {
            observer.observe(Float32Array.from(values));
            other.observe(Float32Array.from(values));
          }
          assert.deepEqual(other.toJSON(), observer.toJSON());
        }),
        { numRuns: 50 },
      );
    });

    it(`${name}: shares nothing with the state or the observer it came from`, () => {
      const observer = make();
      observer.observe(Float32Array.of(-1, 2));
      const state = observer.toJSON();
      const copy = structuredClone(state);
      const other = observerFromJSON(state);
      other.observe(Float32Array.of(-100, 100));
      assert.deepEqual(state, copy);
      assert.deepEqual(observer.toJSON(), copy);
    });
  }

  it("keeps the method and percentile of a histogram", () => {
    const observer = histogramObserver({ method: "percentile", percentile: 50 });
    observer.observe(Float32Array.of(1, 2, 3, 100));
    assert.deepEqual(throughText(observer).range({ bits: 8, symmetric: true }), { min: 0, max: 2 });
  });

  it("keeps the channels", () => {
    const observer = minMaxObserver();
    observer.observe(Float32Array.of(1, -2, 3, 4), { shape: [2, 2], axis: 0 });
    assert.deepEqual(throughText(observer).quantParams({ bits: 8 }), observer.quantParams({ bits: 8 }));
  });

  it("gives a moving average back with its kernel", () => {
    const observer = movingAverageObserver({ decay: 0.5 });
    observer.observe(Float32Array.of(-1, 1));
    const other = observerFromJSON(observer.toJSON());
    const x = Float32Array.of(-3, 0.3, 2);
    assert.deepEqual(other.observeFakeQuantize(x, { bits: 4 }), observer.observeFakeQuantize(x, { bits: 4 }));
    assert.deepEqual(other.toJSON(), observer.toJSON());
  });

  describe("refuses", () => {
    const range = { observer: "minMax", count: 1, min: [-1], max: [1] };
    const observer = histogramObserver({ method: "mse" });
    observer.observe(Float32Array.of(-0.5, 0.25, 1));
    const histogram = observer.toJSON();
    const counts = [...histogram.counts];
    const cases: [string, unknown, string, string][] = [
      ["nothing", undefined, "TypeError", "expected a state, got undefined"],
      ["null", null, "TypeError", "expected a state, got null"],
      ["no kind", {}, "TypeError", 'expected observer to be "minMax", "movingAverage" or "histogram", got undefined'],
      [
        "another kind",
        { ...range, observer: "median" },
        "TypeError",
        'expected observer to be "minMax", "movingAverage" or "histogram", got "median"',
      ],
      [
        "no count",
        { ...range, count: undefined },
        "RangeError",
        "expected count to be a whole number ≥ 0, got undefined",
      ],
      ["half a tensor", { ...range, count: 0.5 }, "RangeError", "expected count to be a whole number ≥ 0, got 0.5"],
      ["a negative count", { ...range, count: -1 }, "RangeError", "expected count to be a whole number ≥ 0, got -1"],
      [
        "no min",
        { ...range, min: undefined },
        "TypeError",
        "expected min and max as lists with one number per channel, got undefined and [1]",
      ],
      [
        "a range of nothing",
        { ...range, count: 0 },
        "TypeError",
        "expected min and max as lists with one number per channel, got [-1] and [1]",
      ],
      [
        "no range of something",
        { ...range, min: [], max: [] },
        "TypeError",
        "expected min and max as lists with one number per channel, got [] and []",
      ],
      [
        "channels without an axis",
        { ...range, min: [-1, 0], max: [1, 1] },
        "TypeError",
        "expected min and max as lists with one number per channel, got [-1,0] and [1,1]",
      ],
      [
        "a min without a max",
        { ...range, min: [-1, 0], axis: 0 },
        "TypeError",
        "expected min and max as lists with one number per channel, got [-1,0] and [1]",
      ],
      [
        "min above max",
        { ...range, min: [-1, 2], max: [1, 1], axis: 0 },
        "RangeError",
        "expected finite float32 min ≤ max, got 2 and 1 at channel 1",
      ],
      [
        "a float64",
        { ...range, max: [1.1] },
        "RangeError",
        "expected finite float32 min ≤ max, got -1 and 1.1 at channel 0",
      ],
      ["text", { ...range, max: ["1"] }, "RangeError", "expected finite float32 min ≤ max, got -1 and 1 at channel 0"],
      [
        "a NaN that became null",
        { ...range, min: [null] },
        "RangeError",
        "expected finite float32 min ≤ max, got null and 1 at channel 0",
      ],
      ["half an axis", { ...range, axis: 0.5 }, "RangeError", "expected axis to be an integer, got 0.5"],
      [
        "a histogram of channels",
        { ...histogram, axis: 0 },
        "TypeError",
        "expected a histogram of whole tensors, got axis 0",
      ],
      [
        "another width",
        { ...histogram, binWidth: 2 ** -10 },
        "RangeError",
        `expected binWidth ${2 ** -11} and firstBin -1024 for values in [-0.5, 1], got ${2 ** -10} and -1024`,
      ],
      [
        "another first bin",
        { ...histogram, firstBin: -1 },
        "RangeError",
        `expected binWidth ${2 ** -11} and firstBin -1024 for values in [-0.5, 1], got ${2 ** -11} and -1`,
      ],
      [
        "no counts",
        { ...histogram, counts: undefined },
        "RangeError",
        "expected counts as a list of 3073 numbers, got undefined",
      ],
      [
        "too few counts",
        { ...histogram, counts: [1] },
        "RangeError",
        "expected counts as a list of 3073 numbers, got 1",
      ],
      [
        "half a value",
        { ...histogram, counts: [...counts.slice(0, 7), 0.5, ...counts.slice(8)] },
        "RangeError",
        "expected counts to be whole numbers ≥ 0 and > 0 at the ends, got 0.5 at index 7",
      ],
      [
        "an empty end",
        { ...histogram, counts: [...counts.slice(0, 3072), 0] },
        "RangeError",
        "expected counts to be whole numbers ≥ 0 and > 0 at the ends, got 0 at index 3072",
      ],
    ];
    for (const [name, state, error, message] of cases) {
      it(name, () =>
        assert.throws(() => observerFromJSON(state as Parameters<typeof observerFromJSON>[0]), {
          name: error,
          message: `observerFromJSON: ${message}`,
        }),
      );
    }

    it("options that the observer refuses", () => {
      const average = movingAverageObserver().toJSON();
      assert.throws(() => observerFromJSON({ ...average, decay: 1 }), {
        name: "RangeError",
        message: "movingAverageObserver: expected decay in [0, 1), got 1",
      });
      assert.throws(() => observerFromJSON({ ...histogram, method: "percentile", percentile: 0 }), {
        name: "RangeError",
        message: "histogramObserver: expected percentile in (0, 100], got 0",
      });
    });
  });
});
