import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { movingAverage } from "../../../src/reference/moving-average.js";
import { observeRange } from "../../../src/tfjs/ops/observe-range.js";
import { minMax } from "../../../src/wasm/min-max.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, kernelsOf, nothingLeft, PLACES, type Place } from "./backends.js";

const DECAY = 0.9;
const PLAIN: Place = "a backend without the library's kernels";
const OWN = PLACES.filter((place) => place !== PLAIN);

/** Batches whose ranges lie in all ways around 0, of sizes that end within a vector. */
const BATCHES = [
  { shape: [2, 5, 3, 7], factor: 4, shift: 0 },
  { shape: [67], factor: 1e-3, shift: 5 },
  { shape: [], factor: 1, shift: -3 },
  { shape: [1], factor: 0, shift: 0 },
  { shape: [9, 16], factor: 1e30, shift: 0 },
  { shape: [3], factor: 1e-44, shift: 0 },
].map(({ shape, factor, shift }, i) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, values: noise(size, i + 1).map((v) => v * factor + shift) };
});

/** The range after each batch, by the op. */
function ranges(): Float32Array[] {
  return nothingLeft("observeRange", () => {
    let range: tf.Tensor1D | undefined;
    return BATCHES.map(({ shape, values }) => {
      range = observeRange("test", tf.tensor(values, shape), range, DECAY);
      assert.deepEqual(range.shape, [2]);
      return range.dataSync<"float32">().slice();
    });
  });
}

/** The same by the array functions. */
function expectedRanges(): Float32Array[] {
  let state: Float32Array | undefined;
  return BATCHES.map(({ values }) => {
    const { min, max } = minMax(values);
    const batch = Float32Array.of(min[0], max[0]);
    if (state === undefined) state = batch;
    else movingAverage(state, batch, DECAY);
    return state.slice();
  });
}

describe("observeRange", () => {
  for (const place of OWN) {
    it(`the range after each batch is that of minMax and movingAverage, bit for bit, on ${place}`, async () => {
      await go(place);
      const expected = expectedRanges();
      for (const [i, range] of ranges().entries()) assertSameBytes(range, expected[i], `batch ${i}`);
    });

    it(`NaN and infinities: an error with the first index, and nothing left behind, on ${place}`, async () => {
      await go(place);
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (const [size, index] of [
          [1, 0],
          [67, 66],
          [67, 5],
        ]) {
          const values = noise(size, 1);
          values.fill(value, index);
          nothingLeft(`${value}`, () => {
            const x = tf.tensor1d(values);
            for (const range of [undefined, tf.tensor1d([-1, 1])]) {
              assert.throws(() => observeRange('QATQuantizer: "conv"', x, range, DECAY), {
                name: "QuantError",
                code: "non-finite",
                message: `QATQuantizer: "conv": expected finite values, got ${value} at index ${index}`,
                details: { index, value },
              });
            }
          });
        }
      }
    });
  }

  it(`by stock ops: exact for the first batch, then within 2 float32 ulp of the larger end, on ${PLAIN}`, async () => {
    await go(PLAIN);
    const expected = expectedRanges();
    for (const [i, range] of ranges().entries()) {
      // Each product and the sum are rounded, where the array function rounds once.
      const tolerance = i === 0 ? 0 : 2 ** -22 * Math.max(...expected[i].map(Math.abs));
      range.forEach((value, end) => {
        assert.ok(Math.abs(value - expected[i][end]) <= tolerance, `batch ${i}: ${value}, not ${expected[i][end]}`);
      });
    }
  });

  it(`NaN stays in the range where nothing is read back, on ${PLAIN}`, async () => {
    await go(PLAIN);
    nothingLeft("NaN", () => {
      const range = observeRange("test", tf.tensor1d([1, Number.NaN, 3]), tf.tensor1d([-1, 1]), DECAY);
      assert.deepEqual([...range.dataSync()], [Number.NaN, Number.NaN]);
    });
  });

  for (const place of PLACES) {
    it(`is no part of a gradient, on ${place}`, async () => {
      await go(place);
      nothingLeft("gradient", () => {
        const dx = tf.grad((x) => {
          observeRange("test", x, undefined, DECAY);
          return tf.mul(x, 3);
        })(tf.tensor1d([1, 2]));
        assert.deepEqual([...dx.dataSync()], [3, 3]);
      });
    });

    it(`a tensor without elements has no range, on ${place}`, async () => {
      await go(place);
      nothingLeft("empty", () => {
        assert.throws(() => observeRange("test", tf.zeros([0, 3]), undefined, DECAY), {
          name: "RangeError",
          message: "test: expected at least one element, got an empty tensor",
        });
      });
    });
  }

  it("its kernel runs on cpu and wasm, and none elsewhere", async () => {
    for (const place of PLACES) {
      await go(place);
      const ran = await kernelsOf(() => observeRange("test", tf.ones([2]), undefined, DECAY));
      assert.deepEqual(ran, place === PLAIN ? [] : ["BitpressMinMax"], place);
    }
  });
});
