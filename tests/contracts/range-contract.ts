import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { GridOptions } from "../../src/core/grid.js";
import { channelView, sizeOf, tensorView } from "../../src/core/shape.js";
import { minMax as defineMinMax } from "../../src/reference/min-max.js";
import { movingAverage as defineMovingAverage } from "../../src/reference/moving-average.js";
import { observeFakeQuantize as define } from "../../src/reference/observe-fake-quantize.js";
import { minMax } from "../../src/wasm/min-max.js";
import { movingAverage } from "../../src/wasm/moving-average.js";
import { observeFakeQuantize } from "../../src/wasm/observe-fake-quantize.js";
import { residentArray } from "../../src/wasm/resident-array.js";
import { everyShapeAndAxis, fromBits } from "./awkward-values.js";
import { assertSameBytes, bytesOf, guarded, snapshot } from "./bytes.js";

const LARGE = Math.fround(1e30);
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

/** Finite float32 of every magnitude and both zeros, `length` of them, different for each seed. */
function finiteValues(length: number, seed = 1): Float32Array {
  const bits = new Uint32Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const exponent = (state >>> 8) % 255;
    bits[i] = i % 5 === 3 ? state & 0x80000000 : (state & 0x807fffff) | (exponent << 23);
  }
  return new Float32Array(bits.buffer);
}

function compareMinMax(x: Float32Array, shape?: number[], axis?: number): void {
  const what = `minMax, ${x.length} elements, shape ${shape}, axis ${axis}`;
  const view = shape === undefined || axis === undefined ? tensorView(x.length) : channelView(shape, axis);
  const min = new Float32Array(view.channels);
  const max = new Float32Array(view.channels);
  assert.equal(defineMinMax(x, view, min, max), true);
  const place = guarded(x);
  const before = snapshot(place.array);
  const range = minMax(place.array, shape === undefined || axis === undefined ? {} : { shape, axis });
  assertSameBytes(range.min, min, `${what}, min`);
  assertSameBytes(range.max, max, `${what}, max`);
  assert.deepEqual(bytesOf(place.array), before, `${what}: x was changed`);
  place.check(what);
}

function minMaxContract(): void {
  it("lengths 1…67 at odd offsets", () => {
    for (let n = 1; n <= 67; n++) compareMinMax(finiteValues(n, n));
  });

  it("values of one sign, with and without zeros", () => {
    for (const n of [16, 17, 35, 64, 67]) {
      for (const sign of [1, -1]) {
        const x = finiteValues(n, n).map((value) => sign * (Math.abs(value) + 2 ** -100));
        compareMinMax(x);
        for (const zero of [0, -0]) {
          for (const at of [0, 15, n - 1]) compareMinMax(x.map((value, i) => (i === at ? zero : value)));
        }
      }
    }
  });

  it("zeros of either sign come out as +0", () => {
    for (const n of [1, 4, 16, 17, 33]) {
      for (const zero of [0, -0]) {
        const { min, max } = minMax(new Float32Array(n).fill(zero));
        assert.deepEqual([Object.is(min[0], 0), Object.is(max[0], 0)], [true, true], `${n} times ${zero}`);
        const perChannel = minMax(new Float32Array(n * 3).fill(zero), { shape: [n, 3], axis: 1 });
        assertSameBytes(perChannel.min, new Float32Array(3), "min");
        assertSameBytes(perChannel.max, new Float32Array(3), "max");
      }
    }
  });

  it("per channel on every axis of many shapes", () => {
    for (const { shape, axis } of everyShapeAndAxis()) {
      if (sizeOf(shape) > 0) compareMinMax(finiteValues(sizeOf(shape), axis + 1), shape, axis);
    }
  });

  it("arrays of several blocks", () => {
    compareMinMax(finiteValues(100_003));
    compareMinMax(finiteValues(100_010), [10_001, 10], 1);
    compareMinMax(finiteValues(105_063), [7, 3, 5003], 1);
    compareMinMax(finiteValues(100_052), [2, 25_013, 2], 1);
  });

  it("the extreme may stand anywhere", () => {
    for (let at = 0; at < 67; at++) {
      const x = new Float32Array(67).fill(0.5);
      x[at] = -7;
      assert.deepEqual([...minMax(x).min, ...minMax(x).max], [-7, 0.5], `min at ${at}`);
      x[at] = 7;
      assert.deepEqual([...minMax(x).min, ...minMax(x).max], [0.5, 7], `max at ${at}`);
    }
  });

  it("NaN or ±Infinity anywhere is an error that names the first", () => {
    const nans = fromBits(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0x7f800000, 0xff800000), 5, 1);
    for (const bad of nans) {
      for (let at = 0; at < 67; at++) {
        const x = finiteValues(67);
        x[at] = bad;
        x[66] = bad;
        const error = {
          name: "QuantError",
          code: "non-finite",
          message: `minMax: expected finite values, got ${bad} at index ${at}`,
        };
        assert.throws(() => minMax(x), error);
        assert.throws(() => minMax(x, { shape: [67, 1], axis: 0 }), error);
        assert.throws(() => minMax(x, { shape: [1, 67], axis: 0 }), error);
      }
    }
  });

  it("a resident x", () => {
    for (const n of [1, 67, 40_001]) {
      const x = finiteValues(n);
      const resident = residentArray("float32", n + 3);
      resident.array.set(x, 3);
      const whole = minMax(resident.array.subarray(3));
      const expected = minMax(x);
      assertSameBytes(whole.min, expected.min, "min");
      assertSameBytes(whole.max, expected.max, "max");
      resident.dispose();
    }
  });

  it("any finite values", () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(
            fc.constant(shape),
            fc.nat(shape.length - 1),
            fc.array(finite, { minLength: sizeOf(shape), maxLength: sizeOf(shape) }),
          ),
        ),
        ([shape, axis, values]) => {
          compareMinMax(Float32Array.from(values));
          compareMinMax(Float32Array.from(values), shape, axis);
        },
      ),
      { numRuns: 200 },
    );
  });
}

function movingAverageContract(): void {
  it("any finite state, batch and decay, lengths 0…67", () => {
    for (let n = 0; n <= 67; n++) {
      for (const decay of [0, 0.5, 0.9, 0.99, 0.999999]) {
        const expected = finiteValues(n, n + 7);
        const batch = finiteValues(n, n + 11);
        const state = guarded(expected);
        defineMovingAverage(expected, batch, decay);
        movingAverage(state.array, guarded(batch).array, decay);
        assertSameBytes(state.array, expected, `movingAverage, ${n} elements, decay ${decay}`);
        state.check(`movingAverage, ${n} elements`);
      }
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(finite, finite)),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (pairs, decay) => {
          const expected = Float32Array.from(pairs, ([state]) => state);
          const batch = Float32Array.from(pairs, ([, value]) => value);
          const state = expected.slice();
          defineMovingAverage(expected, batch, decay);
          movingAverage(state, batch, decay);
          assertSameBytes(state, expected, `movingAverage, decay ${decay}`);
        },
      ),
    );
  });
}

const GRIDS: readonly GridOptions[] = [
  { bits: 8 },
  { bits: 8, signed: false },
  { bits: 8, narrowRange: true, symmetric: true },
  { bits: 1 },
  { bits: 1, signed: false, symmetric: true },
  { bits: 2, symmetric: true },
  { bits: 4, signed: false, symmetric: true },
  { bits: 16 },
  { bits: 16, signed: false },
];

function compareObserve(
  x: Float32Array,
  range: Float32Array,
  first: boolean,
  decay: number,
  options: GridOptions,
): void {
  const what = `observeFakeQuantize, ${x.length} elements, ${JSON.stringify(options)}, first ${first}`;
  const expectedRange = range.slice();
  const expected = new Float32Array(x.length);
  const params = define(x, expectedRange, { first, decay }, options, expected);

  const input = guarded(x);
  const state = guarded(range);
  const fresh = observeFakeQuantize(input.array, state.array, { first, decay }, options);
  assert.deepEqual(fresh.params, params, what);
  assertSameBytes(fresh.values, expected, `${what}, fresh`);
  assertSameBytes(state.array, expectedRange, `${what}, range`);
  assertSameBytes(input.array, x, `${what}: x was changed`);
  state.check(what);

  const out = guarded(new Float32Array(x.length));
  const given = observeFakeQuantize(input.array, range.slice(), { first, decay }, options, out.array);
  assert.equal(given.values, out.array);
  assertSameBytes(out.array, expected, `${what}, out`);
  out.check(what);

  observeFakeQuantize(input.array, range.slice(), { first, decay }, options, input.array);
  assertSameBytes(input.array, expected, `${what}, in place`);
  input.check(what);
}

function observeContract(): void {
  it("lengths 1…67, every kind of grid, first batch and later ones", () => {
    for (let n = 1; n <= 67; n++) {
      for (const options of GRIDS) {
        const x = finiteValues(n, n).map((v) => v / 1e6);
        compareObserve(x, Float32Array.of(-1, 2), true, 0.99, options);
        compareObserve(x, Float32Array.of(-1, 2), false, 0.9, options);
      }
    }
  });

  it("all-zero, constant, one-sided and tiny tensors; a range that excludes zero", () => {
    for (const options of GRIDS) {
      for (const value of [0, -0, 3, -3, 2 ** -149, -(2 ** -126), 1e30]) {
        compareObserve(new Float32Array(19).fill(value), Float32Array.of(0, 0), true, 0.99, options);
        compareObserve(new Float32Array(19).fill(value), Float32Array.of(2, 5), false, 0.99, options);
        compareObserve(new Float32Array(19).fill(value), Float32Array.of(-5, -2), false, 0, options);
      }
    }
  });

  it("more than a block", () => {
    compareObserve(
      finiteValues(100_003).map((v) => v / 1e9),
      Float32Array.of(-1, 1),
      false,
      0.5,
      { bits: 8 },
    );
  });

  it("resident x and out", () => {
    for (const n of [1, 67, 40_001]) {
      const x = finiteValues(n).map((v) => v / 1e6);
      const step = { first: true, decay: 0.99 };
      const expected = observeFakeQuantize(x, new Float32Array(2), step, { bits: 8 }).values;
      const input = residentArray("float32", n);
      const output = residentArray("float32", n);
      input.array.set(x);
      observeFakeQuantize(input.array, new Float32Array(2), step, { bits: 8 }, output.array);
      assertSameBytes(output.array, expected, "both resident");
      const outside = observeFakeQuantize(input.array, new Float32Array(2), step, { bits: 8 });
      assertSameBytes(outside.values, expected, "x resident");
      observeFakeQuantize(x, new Float32Array(2), step, { bits: 8 }, output.array.fill(0));
      assertSameBytes(output.array, expected, "out resident");
      assertSameBytes(input.array, x, "x untouched");
      input.dispose();
      output.dispose();
    }
  });

  it("an error changes neither range nor out", () => {
    const big = Math.fround(3.4e38);
    const cases: [number[], GridOptions, string][] = [
      [[1, Number.NaN, 2], { bits: 8 }, "observeFakeQuantize: expected finite values, got NaN at index 1"],
      [
        [1, 2, Number.NEGATIVE_INFINITY],
        { bits: 8 },
        "observeFakeQuantize: expected finite values, got -Infinity at index 2",
      ],
      [
        [-big, big],
        { bits: 1 },
        `observeFakeQuantize: expected a range whose scale fits float32, got [${-big}, ${big}]`,
      ],
      [[], { bits: 8 }, "observeFakeQuantize: expected at least one element, got an empty tensor"],
    ];
    for (const [values, options, message] of cases) {
      const range = Float32Array.of(-1, 2);
      const out = new Float32Array(values.length).fill(9);
      const step = { first: true, decay: 0.9 };
      assert.throws(() => observeFakeQuantize(Float32Array.from(values), range, step, options, out), { message });
      assert.deepEqual([...range, ...out], [-1, 2, ...values.map(() => 9)]);
    }
  });

  it("any finite values and range", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -LARGE, max: LARGE, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.float({ min: -LARGE, max: LARGE, noNaN: true }),
        fc.float({ min: 0, max: LARGE, noNaN: true }),
        fc.boolean(),
        fc.constantFrom(0, 0.5, 0.99),
        fc.constantFrom(...GRIDS),
        (values, min, extent, first, decay, options) => {
          compareObserve(Float32Array.from(values), Float32Array.of(min, min + extent), first, decay, options);
        },
      ),
      { numRuns: 300 },
    );
  });
}

/** The part of the kernel contract about ranges. */
export function rangeContract(): void {
  describe("minMax", minMaxContract);
  describe("movingAverage", movingAverageContract);
  describe("observeFakeQuantize", observeContract);
}
