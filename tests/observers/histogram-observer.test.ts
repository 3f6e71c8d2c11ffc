import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import type { GridOptions } from "../../src/core/grid.js";
import {
  chooseQuantParams,
  type HistogramObserver,
  type HistogramOptions,
  histogramObserver,
  init,
  memoryUsage,
  minMaxObserver,
  movingAverageObserver,
  residentArray,
} from "../../src/index.js";
import { ARENA_START } from "../../src/wasm/library-memory.js";

const PERCENTILE = { method: "percentile" } as const;
const MSE = { method: "mse" } as const;
const GRIDS: readonly GridOptions[] = [
  { bits: 8 },
  { bits: 8, symmetric: true, narrowRange: true },
  { bits: 4, signed: false },
  { bits: 2, signed: false, symmetric: true },
];

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const tensor = fc.array(fc.oneof(finite, fc.float({ min: -4, max: 4, noNaN: true })), { minLength: 1, maxLength: 30 });

function seen(tensors: readonly (readonly number[])[], options: HistogramOptions = MSE): HistogramObserver {
  const observer = histogramObserver(options);
  for (const values of tensors) observer.observe(Float32Array.from(values));
  return observer;
}

for (const build of ["simd", "reference"] as const) {
  describe(`histogramObserver, ${build}`, () => {
    before(() => init({ build }));

    it("parts merge into exactly the whole, in any split and order", () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(tensor, fc.nat(3)), { maxLength: 8 }),
          fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
          (tensors, order) => {
            const whole = seen(tensors.map(([values]) => values));
            const merged = histogramObserver(MSE);
            for (const part of order) {
              merged.merge(seen(tensors.filter(([, at]) => at === part).map(([values]) => values)));
            }
            assert.deepEqual(merged.toJSON(), whole.toJSON());
            for (const grid of whole.count > 0 ? GRIDS : []) {
              // float32 holds the ends of every grid but of such a range.
              if (Math.max(...tensors.flatMap(([values]) => values.map(Math.abs))) > 1e38) continue;
              assert.deepEqual(merged.quantParams(grid), whole.quantParams(grid));
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    it("one tensor in two halves has the same bins as in one", () => {
      fc.assert(
        fc.property(tensor, tensor, (a, b) => {
          const { count, ...whole } = seen([[...a, ...b]]).toJSON();
          assert.deepEqual({ count: 2, ...whole }, seen([a, b]).toJSON());
          assert.deepEqual({ count: 2, ...whole }, seen([b, a]).toJSON());
          assert.equal(count, 1);
        }),
      );
    });

    it("NaN or infinity names the tensor and the index, and changes nothing", () => {
      const observer = seen([[1, -2, 3]]);
      const state = observer.toJSON();
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        assert.throws(() => observer.observe(Float32Array.of(100, bad), {}, 'calibrate: "conv1"'), {
          name: "QuantError",
          code: "non-finite",
          message: `calibrate: "conv1": expected finite values, got ${bad} at index 1`,
        });
        assert.deepEqual(observer.toJSON(), state);
      }
      assert.throws(() => observer.observe(new Float32Array(0)), {
        name: "RangeError",
        message: "histogramObserver.observe: expected at least one element, got an empty tensor",
      });
      assert.deepEqual(observer.toJSON(), state);
    });
  });
}

describe("histogramObserver", () => {
  before(() => init({ build: "simd" }));

  it("the state in full", () => {
    const observer = seen([
      [1, -0.75],
      [0, 2, 2],
    ]);
    assert.equal(observer.count, 2);
    const { counts, ...rest } = observer.toJSON();
    assert.deepEqual(rest, {
      observer: "histogram",
      method: "mse",
      count: 2,
      min: [-0.75],
      max: [2],
      binWidth: 2 ** -10,
      firstBin: -768,
    });
    assert.equal(counts.length, 2048 + 768 + 1);
    assert.deepEqual(
      [...counts.entries()].filter(([, n]) => n > 0),
      [
        [0, 1],
        [768, 1],
        [768 + 1024, 1],
        [768 + 2048, 2],
      ],
    );
    assert.deepEqual(seen([], PERCENTILE).toJSON(), {
      observer: "histogram",
      method: "percentile",
      percentile: 99.99,
      count: 0,
      min: [],
      max: [],
      binWidth: 2 ** -160,
      firstBin: 0,
      counts: [],
    });
  });

  it("99.99 % by default: of 20 000 values affine grids leave out one at each end, symmetric grids two", () => {
    const x = Float32Array.from(
      { length: 20_000 },
      (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + Math.floor(i / 2) / 20_000),
    );
    x[0] = 100;
    x[1] = -200;
    const observer = histogramObserver(PERCENTILE);
    observer.observe(x);
    const width = observer.toJSON().binWidth;
    assert.equal(width, 1 / 8);
    assert.deepEqual(observer.range({ bits: 8 }), { min: -1.5, max: 1.5 });
    assert.deepEqual(observer.range({ bits: 8, symmetric: true }), { min: -1.5, max: 1.5 });
    const one = histogramObserver(PERCENTILE);
    one.observe(x.subarray(0, 19_998));
    assert.deepEqual(one.range({ bits: 8 }), { min: -200, max: 100 });
    assert.deepEqual(one.range({ bits: 8, symmetric: true }), { min: -100, max: 100 });
  });

  it("quantParams are those of the range", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1 }),
        fc.constantFrom(...GRIDS),
        fc.constantFrom<HistogramOptions>(PERCENTILE, MSE, { method: "percentile", percentile: 80 }),
        (values, grid, options) => {
          const observer = seen([values], options);
          const range = observer.range(grid);
          assert.ok(range.min <= 0 && range.max >= 0);
          assert.ok(range.min >= Math.min(0, ...values) && range.max <= Math.max(0, ...values));
          assert.deepEqual([Math.fround(range.min), Math.fround(range.max)], [range.min, range.max]);
          assert.deepEqual(observer.quantParams(grid), chooseQuantParams(range, grid));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("100 % gives the parameters of minMaxObserver", () => {
    fc.assert(
      fc.property(tensor, fc.constantFrom(...GRIDS), (values, grid) => {
        const all = seen([values.map((x) => Math.fround(x / 4))], { method: "percentile", percentile: 100 });
        const extremes = minMaxObserver();
        extremes.observe(Float32Array.from(values, (x) => Math.fround(x / 4)));
        assert.deepEqual(all.range(grid), extremes.range(grid));
        assert.deepEqual(all.quantParams(grid), extremes.quantParams(grid));
      }),
    );
  });

  for (const options of [PERCENTILE, MSE]) {
    it(`${options.method}: zeros, one value, constants, subnormals, 1e38`, () => {
      const cases: [number[], [number, number]][] = [
        [
          [0, 0, -0],
          [0, 0],
        ],
        [[5], [0, 5]],
        [[-5], [-5, 0]],
        [Array(100).fill(0.1), [0, Math.fround(0.1)]],
        [
          [2 ** -149, -(2 ** -149)],
          [-(2 ** -149), 2 ** -149],
        ],
        [
          [1e38, -1e38],
          [Math.fround(-1e38), Math.fround(1e38)],
        ],
        [[3.4e38], [0, Math.fround(3.4e38)]],
      ];
      for (const [values, [min, max]] of cases) {
        for (const grid of GRIDS) assert.deepEqual(seen([values], options).range(grid), { min, max }, String(values));
      }
      assert.deepEqual(seen([[0]], options).quantParams({ bits: 8 }), {
        scale: 1,
        zeroPoint: 0,
        qmin: -128,
        qmax: 127,
      });
    });
  }

  it("a first batch a million times smaller than the next counts as small values", () => {
    const small = Array.from({ length: 1000 }, (_, i) => (i - 500) * 1e-6);
    const large = Array.from({ length: 1000 }, (_, i) => i - 500);
    const observer = seen([small, large]);
    const { binWidth, firstBin, counts } = observer.toJSON();
    assert.equal(binWidth, 0.25);
    assert.equal(firstBin, -2000);
    assert.deepEqual(counts.slice(1999, 2002), [500, 2, 499]);
    assert.deepEqual(observer.toJSON(), seen([large, small]).toJSON());
  });

  it("with mse, fewer bits give up more of a long tail", () => {
    const tail = Float32Array.from({ length: 10_000 }, (_, i) => -Math.log(1 - (i + 0.5) / 10_000));
    const observer = histogramObserver(MSE);
    observer.observe(tail);
    const ends = [8, 4, 2].map((bits) => observer.range({ bits, signed: false }).max);
    assert.ok(ends[0] > ends[1] && ends[1] > ends[2] && ends[2] > 1, String(ends));
  });

  it("merging leaves the other as it was and keeps its own method", () => {
    const observer = seen([[1]], PERCENTILE);
    const other = seen([[-8]], MSE);
    const state = other.toJSON();
    observer.merge(other);
    assert.deepEqual(other.toJSON(), state);
    observer.observe(Float32Array.of(100));
    assert.deepEqual(other.toJSON(), state);
    const { method, count, min, max } = observer.toJSON();
    assert.deepEqual({ method, count, min, max }, { method: "percentile", count: 3, min: [-8], max: [100] });
    observer.merge(observer);
    assert.equal(observer.count, 6);
  });

  it("counts an array in linear memory that grows during the call", async () => {
    await init({ build: "simd" });
    const { totalBytes, residentBytes } = memoryUsage();
    assert.equal(residentBytes, 0);
    const resident = residentArray("float32", (totalBytes - ARENA_START) / 4);
    const x = resident.array.subarray(0, 3);
    x.set([1, -2, 3]);
    const observer = histogramObserver(MSE);
    observer.observe(x);
    assert.ok(memoryUsage().totalBytes > totalBytes, "expected the call to grow the memory");
    assert.deepEqual(observer.toJSON(), seen([[1, -2, 3]]).toJSON());
    resident.dispose();
  });

  it("refuses", () => {
    const wrong = <T>(value: unknown): T => value as T;
    const cases: [() => unknown, string, string][] = [
      [
        () => histogramObserver(wrong({ method: "best" })),
        "TypeError",
        'histogramObserver: expected method "percentile" or "mse", got "best"',
      ],
      [
        () => histogramObserver(wrong({})),
        "TypeError",
        'histogramObserver: expected method "percentile" or "mse", got undefined',
      ],
      [
        () => histogramObserver({ method: "mse", percentile: 99 }),
        "TypeError",
        'histogramObserver: expected no percentile with method "mse", got 99',
      ],
      ...[0, -1, 100.1, Number.NaN].map((percentile): [() => unknown, string, string] => [
        () => histogramObserver({ method: "percentile", percentile }),
        "RangeError",
        `histogramObserver: expected percentile in (0, 100], got ${percentile}`,
      ]),
      [
        () => histogramObserver(MSE).observe(wrong([1])),
        "TypeError",
        "histogramObserver.observe: expected x to be a Float32Array, got [object Array]",
      ],
      [
        () => histogramObserver(MSE).observe(wrong(undefined)),
        "TypeError",
        "histogramObserver.observe: expected x to be a Float32Array, got [object Undefined]",
      ],
      [
        () => histogramObserver(MSE).observe(Float32Array.of(1, 2), { shape: [1, 2], axis: 1 }),
        "TypeError",
        "histogramObserver.observe: expected a whole tensor, got axis 1",
      ],
      [
        () => histogramObserver(MSE).range({ bits: 8 }),
        "QuantError",
        "histogramObserver.range: expected observed data, got none; call observe() first",
      ],
      [
        () => histogramObserver(PERCENTILE).quantParams({ bits: 8 }, 'calibrate: "conv1"'),
        "QuantError",
        'calibrate: "conv1": expected observed data, got none; call observe() first',
      ],
      [
        () => seen([[1]]).quantParams({ bits: 17 }),
        "RangeError",
        "histogramObserver.quantParams: expected bits in 1…16, got 17",
      ],
      [
        () => histogramObserver(MSE).merge(minMaxObserver()),
        "TypeError",
        "histogramObserver.merge: expected another histogram observer, got a minMax observer",
      ],
      [
        () => histogramObserver(MSE).merge(movingAverageObserver()),
        "TypeError",
        "histogramObserver.merge: expected another histogram observer, got a movingAverage observer",
      ],
    ];
    for (const [call, name, message] of cases) assert.throws(call, { name, message });
  });
});
