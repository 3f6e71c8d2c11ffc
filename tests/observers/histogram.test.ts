import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  addHistogram,
  BINS,
  binOf,
  countValues,
  emptyHistogram,
  growHistogram,
  type Histogram,
  totalOf,
} from "../../src/observers/histogram.js";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

function histogramOf(...parts: readonly (readonly number[])[]): Histogram {
  const histogram = emptyHistogram();
  for (const values of parts) {
    growHistogram(histogram, Math.max(0, ...values.map(Math.abs)));
    countValues(histogram, Float32Array.from(values));
  }
  return histogram;
}

/** Bins that hold something, as [bin, count]. */
function filled({ counts }: Histogram): [number, number][] {
  return Array.from(counts, (count, i): [number, number] => [i - BINS, count]).filter(([, count]) => count > 0);
}

/** The definition: counts of the values in each bin's interval, of the smallest width that reaches all. */
function define(values: readonly number[]): { binWidth: number; bins: [number, number][] } {
  const magnitude = Math.max(0, ...values.map(Math.abs));
  let exponent = -160;
  while (BINS * 2 ** exponent < magnitude) exponent++;
  const binWidth = 2 ** exponent;
  const bins = new Map<number, number>();
  for (const x of values) {
    const k = Math.sign(x) * Math.ceil(Math.abs(x) / binWidth) + 0;
    bins.set(k, (bins.get(k) ?? 0) + 1);
  }
  return { binWidth, bins: [...bins].sort(([a], [b]) => a - b) };
}

describe("histogram", () => {
  it("bins are closed away from zero, and zeros of either sign have a bin of their own", () => {
    const histogram = histogramOf([1024, 1, 1.25, 0.25, -0.25, -1, -1.25, 0, -0, 2 ** -149, -(2 ** -149)]);
    assert.equal(histogram.binWidth, 0.5);
    assert.deepEqual(filled(histogram), [
      [-3, 1],
      [-2, 1],
      [-1, 2],
      [0, 2],
      [1, 2],
      [2, 1],
      [3, 1],
      [2048, 1],
    ]);
    assert.equal(totalOf(histogram), 11);
  });

  it("the width is the smallest power of two whose bins reach the largest magnitude", () => {
    const next = 1024 * (1 + 2 ** -23);
    for (const [magnitude, width] of [
      [0, 2 ** -160],
      [2 ** -149, 2 ** -160],
      [2 ** -148, 2 ** -159],
      [1024, 0.5],
      [next, 1],
      [-next, 1],
      [LARGEST, 2 ** 117],
      [-LARGEST, 2 ** 117],
    ]) {
      const histogram = histogramOf([magnitude]);
      assert.equal(histogram.binWidth, width, String(magnitude));
      assert.equal(
        Math.abs(binOf(histogram, magnitude)),
        magnitude === 0 ? 0 : BINS / (Math.abs(magnitude) === next ? 2 : 1) + (Math.abs(magnitude) === next ? 1 : 0),
        String(magnitude),
      );
    }
  });

  it("growing by 2^276 in one step counts all that was there in the bins next to zero", () => {
    const tiny = [2 ** -149, 2 ** -148, -(2 ** -149), 0];
    const histogram = histogramOf(tiny, [LARGEST]);
    assert.deepEqual(filled(histogram), [
      [-1, 1],
      [0, 1],
      [1, 2],
      [BINS, 1],
    ]);
  });

  it("any values in any parts give the counts that the definition gives for all at once", () => {
    fc.assert(
      fc.property(fc.array(fc.array(finite, { maxLength: 20 }), { maxLength: 6 }), (parts) => {
        const histogram = histogramOf(...parts);
        const { binWidth, bins } = define(parts.flat());
        assert.equal(histogram.binWidth, binWidth);
        assert.deepEqual(filled(histogram), bins);
      }),
      { numRuns: 300 },
    );
  });

  it("adding another of smaller width counts as if its values had come here", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), fc.array(finite), (own, others) => {
        const histogram = histogramOf(own);
        const other = histogramOf(others.filter((x) => Math.abs(x) <= BINS * histogram.binWidth));
        addHistogram(histogram, other);
        assert.deepEqual(
          filled(histogram),
          define([...own, ...others.filter((x) => Math.abs(x) <= BINS * histogram.binWidth)]).bins,
        );
      }),
    );
  });
});
