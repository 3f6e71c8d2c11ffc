import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { type GridOptions, gridOf } from "../../../src/core/grid.js";
import { chooseQuantParams } from "../../../src/reference/choose-quant-params.js";
import { columnsOf } from "../../../src/tfjs/ops/quant-params-tensor.js";
import { rangeParams } from "../../../src/tfjs/ops/range-params.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, nothingLeft, PLACES, type Place } from "./backends.js";

const PLAIN: Place = "a backend without the library's kernels";
const OWN = PLACES.filter((place) => place !== PLAIN);

const OPTIONS: readonly GridOptions[] = [2, 3, 4, 8, 16].flatMap((bits) => [
  { bits },
  { bits, signed: false },
  { bits, symmetric: true },
  { bits, symmetric: true, narrowRange: true },
  { bits, symmetric: true, signed: false },
]);

/** Ranges on both sides of 0, on one, of 0 alone, tiny and huge ones, and many at random. */
const RANGES: readonly (readonly [number, number])[] = [
  [-1, 1],
  [-1, 0],
  [0, 1],
  [0.5, 2],
  [-3, -0.5],
  [0, 0],
  [-0, 0],
  [-1e-44, 1e-44],
  [0, 2 ** -120],
  [-1e38, 1e38],
  [-0.1, 254.9],
  ...[...noise(200, 1)].map((value, i): [number, number] => {
    const other = Math.abs(noise(200, 2)[i]) * 10 ** ((i % 9) - 4);
    return [Math.fround(-Math.abs(value)), Math.fround(other)];
  }),
];
const MIN = Float32Array.from(RANGES, ([min]) => min);
const MAX = Float32Array.from(RANGES, ([, max]) => max);

const byOp = (options: GridOptions): Float32Array =>
  nothingLeft("rangeParams", () => {
    const params = rangeParams("test", tf.tensor1d(MIN), tf.tensor1d(MAX), options);
    assert.deepEqual(params.shape, [2, MIN.length]);
    return params.dataSync<"float32">().slice();
  });

function byArrays(options: GridOptions): { readonly scale: Float32Array; readonly zeroPoint: Int32Array } {
  return chooseQuantParams({ min: MIN, max: MAX }, options) as {
    readonly scale: Float32Array;
    readonly zeroPoint: Int32Array;
  };
}

describe("rangeParams", () => {
  for (const place of OWN) {
    it(`scales and zero points are those of chooseQuantParams, bit for bit, on ${place}`, async () => {
      await go(place);
      for (const options of OPTIONS) {
        const { scale, zeroPoint } = byArrays(options);
        assertSameBytes(byOp(options), Float32Array.of(...scale, ...zeroPoint), JSON.stringify(options));
      }
    });

    it(`a range that is not finite is an error, on ${place}`, async () => {
      await go(place);
      nothingLeft(place, () => {
        const [min, max] = [tf.tensor1d([0, -1]), tf.tensor1d([1, Number.POSITIVE_INFINITY])];
        assert.throws(() => rangeParams('QATQuantizer: "conv"', min, max, { bits: 8 }), {
          name: "QuantError",
          code: "non-finite",
          message: 'QATQuantizer: "conv", channel 1: expected a finite range, got [-1, Infinity]',
        });
      });
    });
  }

  it(`by stock ops: symmetric exactly; affine scales within 1 ulp, and zero points within 1, on ${PLAIN}`, async () => {
    await go(PLAIN);
    let [scales, zeroPoints, all] = [0, 0, 0];
    for (const options of OPTIONS) {
      const expected = byArrays(options);
      const { scale, zeroPoint } = columnsOf(byOp(options));
      const { qmin, qmax } = gridOf("test", options);
      RANGES.forEach((range, c) => {
        const what = `${JSON.stringify(options)} of [${range}]`;
        const ulp = options.symmetric ? 0 : 2 ** -23 * expected.scale[c];
        assert.ok(Math.abs(scale[c] - expected.scale[c]) <= ulp, `${what}: ${scale[c]}, not ${expected.scale[c]}`);
        const steps = options.symmetric ? 0 : 1;
        assert.ok(Math.abs(zeroPoint[c] - expected.zeroPoint[c]) <= steps, `${what}: ${zeroPoint[c]}`);
        assert.ok(zeroPoint[c] >= qmin && zeroPoint[c] <= qmax, what);
        all++;
        if (scale[c] !== expected.scale[c]) scales++;
        if (zeroPoint[c] !== expected.zeroPoint[c]) zeroPoints++;
      });
    }
    // Scales: the extent is rounded once more. Zero points: near-ties, of 16 bits.
    assert.deepEqual({ all, scales, zeroPoints }, { all: 5275, scales: 526, zeroPoints: 3 });
  });
});
