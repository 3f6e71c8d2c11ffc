import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs";
import { type TrainingGrid, trainingWeightParams } from "../../../src/graph/training-weights.js";
import { columnsOf, noParams, paramsTensor } from "../../../src/tfjs/ops/quant-params-tensor.js";
import { weightParams } from "../../../src/tfjs/ops/weight-params.js";
import { assertSameBytes } from "../../contracts/bytes.js";
import { noise } from "../../contracts/geometries.js";
import { go, nothingLeft, PLACES, type Place } from "./backends.js";

const PLAIN: Place = "a backend without the library's kernels";
const OWN = PLACES.filter((place) => place !== PLAIN);
const INPUT_SCALE = Math.fround(0.003);

interface Sample {
  readonly what: string;
  readonly shape: readonly number[];
  readonly grid: TrainingGrid;
  readonly weights: Float32Array;
  /** Some of them too large for the grid of their layer's products. */
  readonly bias: Float32Array;
}

const SAMPLES: readonly Sample[] = [
  { shape: [3, 3, 4, 6], axis: 3 },
  { shape: [3, 3, 1, 8], axis: 3 },
  { shape: [10, 5], axis: 1 },
  { shape: [5, 10], axis: 0 },
  { shape: [4, 1], axis: 1 },
].flatMap(({ shape, axis }) =>
  ([2, 4, 8, 16] as const).flatMap((bits) =>
    (
      [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ] as const
    ).flatMap(([signed, symmetric]) =>
      (["perChannel", "perTensor"] as const).map((granularity): Sample => {
        const channels = shape[axis];
        const weights = noise(
          shape.reduce((a, b) => a * b),
          bits,
        );
        // A channel of zeros: scale 1, which no bias here exceeds.
        if (channels > 2)
          weights.forEach((_, i) => {
            const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
            if (Math.floor(i / inner) % channels === 2) weights[i] = 0;
          });
        const bias = noise(channels, 7).map((value, c) => (c % 2 === 0 ? value : value * 1e9));
        const grid = { bits, signed, symmetric, granularity, axis };
        return { what: `[${shape}], ${JSON.stringify(grid)}`, shape, grid, weights, bias };
      }),
    ),
  ),
);

/** The op's parameters; with `inputParams`, for a bias on the grid. */
function byOp({ shape, grid, weights, bias }: Sample, inputParams?: () => tf.Tensor2D): Float32Array {
  return nothingLeft("weightParams", () => {
    const onGrid = inputParams && { bias: tf.tensor1d(bias), inputParams: inputParams() };
    // The variable of a depthwise layer has another shape than the one in which its channels count.
    const params = weightParams("test", tf.tensor1d(weights), shape, grid, onGrid);
    assert.deepEqual(params.shape, [2, grid.granularity === "perChannel" ? shape[grid.axis] : 1]);
    return params.dataSync<"float32">().slice();
  });
}

/** The array function's, as the op arranges them. */
function byArrays({ shape, grid, weights, bias }: Sample, inputScale?: number): Float32Array {
  const onGrid = inputScale === undefined ? undefined : { bias, inputScale };
  const { scale, zeroPoint } = trainingWeightParams("test", { data: weights, shape }, grid, onGrid);
  return typeof scale === "number"
    ? Float32Array.of(scale, zeroPoint as number)
    : Float32Array.of(...scale, ...(zeroPoint as Int32Array));
}

const inputParams = (): tf.Tensor2D => paramsTensor({ scale: INPUT_SCALE, zeroPoint: 3, qmin: -128, qmax: 127 });

describe("weightParams", () => {
  for (const place of OWN) {
    it(`parameters are those of trainingWeightParams, bit for bit, on ${place}`, async () => {
      await go(place);
      let raised = 0;
      for (const sample of SAMPLES) {
        const free = byArrays(sample);
        const forBias = byArrays(sample, INPUT_SCALE);
        assertSameBytes(byOp(sample), free, sample.what);
        assertSameBytes(byOp(sample, inputParams), forBias, `${sample.what}, with a bias`);
        assertSameBytes(byOp(sample, noParams), free, `${sample.what}, its input not quantized`);
        raised += forBias.filter((value, i) => value > free[i]).length;
      }
      assert.ok(raised > SAMPLES.length, `${raised} scales were raised for a bias`);
    });

    it(`weights that are not finite are an error with the first index, on ${place}`, async () => {
      await go(place);
      nothingLeft(place, () => {
        const weights = tf.tensor2d([1, 2, Number.NaN, 4, Number.POSITIVE_INFINITY, 6], [3, 2]);
        const grid = { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 1 } as const;
        assert.throws(() => weightParams('QATQuantizer: weights of "fc"', weights, [3, 2], grid), {
          name: "QuantError",
          code: "non-finite",
          message: 'QATQuantizer: weights of "fc": expected finite values, got NaN at index 2',
        });
      });
    });
  }

  it(`by stock ops: symmetric ones and those raised for a bias exactly; affine scales within 1 ulp, on ${PLAIN}`, async () => {
    await go(PLAIN);
    let [scales, zeroPoints, all] = [0, 0, 0];
    for (const sample of SAMPLES) {
      const ulps = sample.grid.symmetric ? 0 : 1;
      for (const [actual, expected] of [
        [byOp(sample), byArrays(sample)],
        [byOp(sample, inputParams), byArrays(sample, INPUT_SCALE)],
        [byOp(sample, noParams), byArrays(sample)],
      ] as const) {
        const [a, b] = [columnsOf(actual), columnsOf(expected)];
        b.scale.forEach((scale, c) => {
          const off = Math.abs(a.scale[c] - scale);
          assert.ok(off <= ulps * 2 ** -23 * scale, `${sample.what}: ${a.scale[c]}, not ${scale}`);
          all++;
          if (off > 0) scales++;
          if (a.zeroPoint[c] !== b.zeroPoint[c]) zeroPoints++;
        });
      }
    }
    // The extent of affine ranges is rounded once more.
    assert.deepEqual({ all, scales, zeroPoints }, { all: 1440, scales: 154, zeroPoints: 0 });
  });
});
