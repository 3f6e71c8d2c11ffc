import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { countValues, emptyHistogram, growHistogram, type Histogram } from "../../src/observers/histogram.js";
import { percentileRange, type TensorRange } from "../../src/observers/percentile-range.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

function collect(values: readonly number[]): { histogram: Histogram; within: TensorRange } {
  const within = { min: Math.min(0, ...values), max: Math.max(0, ...values) };
  const histogram = emptyHistogram();
  growHistogram(histogram, Math.max(-within.min, within.max));
  countValues(histogram, Float32Array.from(values));
  return { histogram, within };
}

function range(values: readonly number[], percentile: number, symmetric = false): [number, number] {
  const { histogram, within } = collect(values);
  const { min, max } = percentileRange(histogram, percentile, symmetric, within);
  return [min, max];
}

/** Smallest number of bins from zero such that at most `budget` magnitudes are further out: by trying each. */
function reach(magnitudes: readonly number[], budget: number, binWidth: number): number {
  for (let k = 0; ; k++) {
    if (magnitudes.filter((m) => m > k * binWidth).length <= budget) return k * binWidth;
  }
}

describe("percentileRange", () => {
  const ramp = Array.from({ length: 1000 }, (_, i) => i + 1);

  it("affine: each end gives up half of the rest; symmetric: the largest magnitudes, all of the rest", () => {
    assert.deepEqual(range(ramp, 99), [0, 995]);
    assert.deepEqual(range(ramp, 99, true), [0, 990]);
    const both = [...ramp, ...ramp.map((x) => -x)];
    assert.deepEqual(range(both, 99), [-990, 990]);
    assert.deepEqual(range(both, 99, true), [-990, 990]);
    assert.deepEqual(range([...ramp, -1, -2000], 99.8), [-1, 999]);
  });

  it("of 1000 values, 99.9 % leaves 1 out and 99.95 % none", () => {
    assert.deepEqual(range(ramp, 99.9, true), [0, 999]);
    assert.deepEqual(range(ramp, 99.8), [0, 999]);
    assert.deepEqual(range(ramp, 99.95, true), [0, 1000]);
    assert.deepEqual(range(ramp, 99.9), [0, 1000]);
  });

  it("100 % is the range of the data, to the last bit", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), (values) => {
        const { within } = collect(values);
        assert.deepEqual(range(values, 100), [within.min + 0, within.max]);
        assert.deepEqual(range(values, 100, true), [within.min + 0, within.max]);
      }),
    );
  });

  it("0 stays inside whatever is left out", () => {
    assert.deepEqual(range([5, 6, 7], 0.001), [0, 6]);
    assert.deepEqual(range([-5, -6, -7], 0.001), [-6, 0]);
    assert.deepEqual(range([0, 0, 0, 1], 50, true), [0, 0]);
  });

  it("any data: the fewest bins with at most the share outside, by trying each", () => {
    const values = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percentile) => {
        const { histogram, within } = collect(list);
        const share = (100 - percentile) * list.length;
        const ends = (positive: number, negative: number): [number, number] => [
          Math.max(within.min, -negative) + 0,
          Math.min(within.max, positive),
        ];
        const whole = reach(list.map(Math.abs), Math.floor(share / 100), histogram.binWidth);
        assert.deepEqual(range(list, percentile, true), ends(whole, whole));
        const half = Math.floor(share / 200);
        const upper = reach(list, half, histogram.binWidth);
        const lower = reach(
          list.map((x) => -x),
          half,
          histogram.binWidth,
        );
        assert.deepEqual(range(list, percentile), ends(upper, lower));
      }),
      { numRuns: 300 },
    );
  });
});
