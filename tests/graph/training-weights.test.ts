import assert from "node:assert/strict";
import test from "node:test";
import { type TrainingGrid, trainingGridOptions, trainingWeightParams } from "../../src/graph/training-weights.js";

const GRID: TrainingGrid = { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 0 };
const WEIGHT = { data: Float32Array.of(1, -2, 0.5, 4, 0, 0), shape: [3, 2] };

test("a signed symmetric grid is narrow, others are not", () => {
  assert.deepEqual(trainingGridOptions(GRID), { bits: 8, signed: true, symmetric: true, narrowRange: true });
  for (const [signed, symmetric] of [
    [true, false],
    [false, true],
    [false, false],
  ]) {
    assert.equal(trainingGridOptions({ ...GRID, signed, symmetric }).narrowRange, false);
  }
});

test("parameters of the current range: per channel along the axis, per tensor as numbers", () => {
  assert.deepEqual(trainingWeightParams("w", WEIGHT, GRID), {
    scale: Float32Array.of(2 / 127, 4 / 127, 1),
    zeroPoint: Int32Array.of(0, 0, 0),
    qmin: -127,
    qmax: 127,
    axis: 0,
  });
  assert.deepEqual(trainingWeightParams("w", WEIGHT, { ...GRID, axis: 1 }).scale, Float32Array.of(1 / 127, 4 / 127));
  assert.deepEqual(trainingWeightParams("w", WEIGHT, { ...GRID, granularity: "perTensor" }), {
    scale: Math.fround(4 / 127),
    zeroPoint: 0,
    qmin: -127,
    qmax: 127,
  });
  assert.deepEqual(
    trainingWeightParams("w", WEIGHT, { ...GRID, bits: 4, signed: false, symmetric: false, granularity: "perTensor" }),
    { scale: Math.fround(6 / 15), zeroPoint: 5, qmin: 0, qmax: 15 },
  );
});

test("a bias on the grid raises the scales it would not fit", () => {
  const onGrid = { bias: Float32Array.of(0, 2 ** 30, 1), inputScale: 0.5 };
  const { scale, zeroPoint } = trainingWeightParams("w", WEIGHT, GRID, onGrid);
  assert.deepEqual(scale, Float32Array.of(2 / 127, 2, 1));
  assert.deepEqual(zeroPoint, Int32Array.of(0, 0, 0));
  assert.equal(trainingWeightParams("w", WEIGHT, { ...GRID, granularity: "perTensor" }, onGrid).scale, 2);
});

test("the affine zero point is that of the range, also where a bias raises the scale", () => {
  const affine: TrainingGrid = { ...GRID, symmetric: false, granularity: "perTensor" };
  const { zeroPoint, scale } = trainingWeightParams("w", WEIGHT, affine);
  assert.deepEqual([scale, zeroPoint], [Math.fround(6 / 255), -43]);
});

test("NaN weights are an error that names the place and the index", () => {
  const data = Float32Array.of(0, 0, Number.NaN, 0, 0, 0);
  assert.throws(() => trainingWeightParams('"fc"', { data, shape: [3, 2] }, GRID), {
    code: "non-finite",
    message: '"fc": expected finite values, got NaN at index 2',
  });
});
