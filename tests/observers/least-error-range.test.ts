import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { GridOptions } from "../../src/core/grid.js";
import type { QuantParams } from "../../src/core/quant-params.js";
import { BINS, countValues, emptyHistogram, growHistogram, type Histogram } from "../../src/observers/histogram.js";
import { candidatesOf, leastErrorRange, spreadOf, squaredError } from "../../src/observers/least-error-range.js";
import type { TensorRange } from "../../src/observers/percentile-range.js";
import { chooseQuantParams } from "../../src/reference/choose-quant-params.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";

const GRIDS: readonly GridOptions[] = [
  { bits: 8 },
  { bits: 8, signed: false },
  { bits: 8, symmetric: true, narrowRange: true },
  { bits: 4 },
  { bits: 4, signed: false, symmetric: true },
  { bits: 2, symmetric: true },
  { bits: 1 },
  { bits: 16 },
];

/** Values of a bell curve, the same each time. */
function bell(length: number, seed = 1): Float32Array {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

function collect(values: Float32Array): { histogram: Histogram; within: TensorRange } {
  const within = values.reduce(({ min, max }, x) => ({ min: Math.min(min, x), max: Math.max(max, x) }), {
    min: 0,
    max: 0,
  });
  const histogram = emptyHistogram();
  growHistogram(histogram, Math.max(-within.min, within.max));
  countValues(histogram, values);
  return { histogram, within };
}

/** Squared error of rounding the very values. */
function trueError(values: Float32Array, params: QuantParams): number {
  const rounded = fakeQuantize(values, params);
  return values.reduce((sum, x, i) => sum + (rounded[i] - x) ** 2, 0);
}

function find(values: Float32Array, grid: GridOptions): TensorRange {
  const { histogram, within } = collect(values);
  return leastErrorRange(histogram, grid, within, "test");
}

describe("squaredError", () => {
  it("equals the mean over 500 points in each bin, within 1e-4 relative", () => {
    const points = 500;
    for (const grid of GRIDS.filter(({ bits }) => bits <= 8)) {
      const { histogram } = collect(Float32Array.of(-3, -1.4, -0.01, 0, 0.3, 0.7, 2.2, 5));
      for (const range of [
        { min: -3, max: 5 },
        { min: -1, max: 5 },
        { min: -0.5, max: 0.5 },
        { min: 0, max: 2 },
      ]) {
        const params = chooseQuantParams(range, grid);
        const [scale, zeroPoint] = [Number(params.scale), Number(params.zeroPoint)];
        let expected = 0;
        for (let k = -BINS; k <= BINS; k++) {
          const count = histogram.counts[BINS + k];
          if (count === 0 || k === 0) continue;
          for (let i = 0; i < points; i++) {
            const x = (k < 0 ? k + (i + 0.5) / points : k - (i + 0.5) / points) * histogram.binWidth;
            const code = Math.max(params.qmin, Math.min(params.qmax, Math.round(x / scale) + zeroPoint));
            expected += ((x - (code - zeroPoint) * scale) ** 2 * count) / points;
          }
        }
        const error = squaredError(spreadOf(histogram), params);
        assert.ok(
          Math.abs(error - expected) <= 1e-4 * expected,
          `${JSON.stringify(grid)}, ${JSON.stringify(range)}: ${error}, by points ${expected}`,
        );
      }
    }
  });

  it("is that of the values themselves within 2 %", () => {
    const values = bell(50_000);
    const { histogram } = collect(values);
    for (const bits of [2, 4, 8]) {
      for (const end of [4, 3, 2, 1]) {
        const params = chooseQuantParams({ min: -end, max: end }, { bits });
        const [error, expected] = [squaredError(spreadOf(histogram), params), trueError(values, params)];
        assert.ok(Math.abs(error - expected) <= 0.02 * expected, `${bits} bits, ±${end}: ${error}, truly ${expected}`);
      }
    }
  });

  it("zeros have none; it stops above enough", () => {
    const zeros = collect(new Float32Array(100)).histogram;
    const params = chooseQuantParams({ min: -1, max: 1 }, { bits: 8 });
    assert.equal(squaredError(spreadOf(zeros), params), 0);
    const spread = spreadOf(collect(bell(1000)).histogram);
    const whole = squaredError(spread, params);
    const part = squaredError(spread, params, whole / 2);
    assert.ok(part > whole / 2 && part < whole, `${part} of ${whole}`);
    assert.equal(squaredError(spread, params, whole), whole);
  });
});

describe("candidatesOf", () => {
  const { histogram, within } = collect(Float32Array.of(-2, 1023.5));

  it("affine: all pairs of ends, each by a sixteenth closer to zero, at least by a bin of 0.5", () => {
    const candidates = [...candidatesOf(histogram, { bits: 8 }, within)];
    const upper = candidates.filter(({ min }) => min === -2).map(({ max }) => max);
    assert.deepEqual(upper.slice(0, 4), [1023.5, 960, 900, 844]);
    assert.deepEqual(upper.slice(-4), [2, 1.5, 1, 0.5]);
    const lower = candidates.filter(({ max }) => max === 0.5).map(({ min }) => min);
    assert.deepEqual(lower, [-2, -1.5, -1, -0.5]);
    assert.equal(candidates.length, upper.length * lower.length);
    assert.equal(upper.length, 100);
  });

  it("symmetric: one magnitude, cut at the data", () => {
    const candidates = [...candidatesOf(histogram, { bits: 8, symmetric: true }, within)];
    assert.equal(candidates.length, 100);
    assert.deepEqual(candidates[0], within);
    assert.deepEqual(candidates[1], { min: -2, max: 960 });
    assert.deepEqual(candidates.at(-1), { min: -0.5, max: 0.5 });
  });
});

describe("leastErrorRange", () => {
  it("is the first of the candidates with the least error, by brute force", () => {
    const values = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.constantFrom(...GRIDS), (list, grid) => {
        const { histogram, within } = collect(Float32Array.from(list));
        const spread = spreadOf(histogram);
        const candidates = [...candidatesOf(histogram, grid, within)];
        const errors = candidates.map((range) => squaredError(spread, chooseQuantParams(range, grid)));
        const least = errors.reduce((a, b) => Math.min(a, b));
        assert.deepEqual(leastErrorRange(histogram, grid, within, "test"), candidates[errors.indexOf(least)]);
      }),
      { numRuns: 40 },
    );
  });

  it("rounds the values themselves within 6 % of the best end, tried one by one", () => {
    // One sign or one magnitude: two ends tried one by one would be four million pairs. Candidates lie a sixteenth apart, so
    // one is at most a thirty-second off, and the square of its step at most a sixteenth.
    const data = { bell: bell(20_000), relu: bell(20_000).map((x) => Math.max(x, 0)) };
    const cases: [keyof typeof data, GridOptions][] = [
      ["relu", { bits: 8 }],
      ["relu", { bits: 4 }],
      ["bell", { bits: 4, symmetric: true }],
      ["bell", { bits: 2, symmetric: true }],
      ["bell", { bits: 8, symmetric: true }],
    ];
    for (const [name, grid] of cases) {
      const values = data[name];
      const { histogram, within } = collect(values);
      let best = Number.POSITIVE_INFINITY;
      for (let k = 100; k <= BINS; k += 8) {
        const end = k * histogram.binWidth;
        const range = { min: Math.max(within.min, -end), max: Math.min(within.max, end) };
        best = Math.min(best, trueError(values, chooseQuantParams(range, grid)));
      }
      const error = trueError(values, chooseQuantParams(find(values, grid), grid));
      assert.ok(error <= 1.06 * best, `${name}, ${JSON.stringify(grid)}: ${error}, best ${best}`);
    }
  });

  it("gives up outliers for few bits, and keeps them for many", () => {
    const values = bell(10_000);
    values[77] = 40;
    const few = find(values, { bits: 4, symmetric: true });
    assert.ok(few.max > 1.5 && few.max < 8, `4 bits: ${few.max}`);
    assert.equal(find(values, { bits: 12, symmetric: true }).max, 40);
  });

  it("data that the grid holds as it is keep their whole range", () => {
    for (const grid of GRIDS) {
      for (const values of [[0], [3.3], [-3.3], [2 ** -149], [-(2 ** -149), 2 ** -149], [1e38], [0, 0, 7]]) {
        const x = Float32Array.from(values);
        const { within } = collect(x);
        assert.deepEqual(find(x, grid), within, `${values}, ${JSON.stringify(grid)}`);
      }
    }
  });

  it("a range whose scale does not fit float32 is the caller's error", () => {
    const { histogram, within } = collect(Float32Array.of(-3e38, 3e38));
    const ends = `[${Math.fround(-3e38)}, ${Math.fround(3e38)}]`;
    assert.throws(() => leastErrorRange(histogram, { bits: 1 }, within, 'calibrate: "conv1"'), {
      name: "RangeError",
      message: `calibrate: "conv1": expected a range whose scale fits float32, got ${ends}`,
    });
  });
});
