import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, IntegerMeanNode } from "../../src/graph/quantized-graph.js";
import { planMean } from "../../src/runtime/mean-step.js";
import { caseOf, checkNode, settings } from "./run-node.js";

const int8 = (shape: readonly number[], scale: number, zeroPoint: number): Int8Tensor => ({
  dtype: "int8",
  shape,
  scale,
  zeroPoint,
});
const zeroPoint = fc.integer({ min: -128, max: 127 });

function meanOf(shape: readonly number[], axes: readonly number[], keepDims: boolean) {
  const node: IntegerMeanNode = { op: "mean", name: "mean", inputs: ["x"], output: "y", axes, keepDims };
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return { node, outShape: keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis)) };
}

test("means over any axes, dimensions kept or dropped", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 19 })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.integer({ min: 1, max: 31 }),
      fc.boolean(),
      fc.tuple(zeroPoint, zeroPoint),
      fc.constantFrom(0.3, 1, 4).map(Math.fround),
      settings,
      (shape, bits, keepDims, zeroPoints, scale, setting) => {
        const axes = shape.map((_, axis) => axis).filter((axis) => (bits >> axis) & 1);
        fc.pre(axes.length > 0);
        const { node, outShape } = meanOf(shape, axes, keepDims);
        const tensors = { x: int8(shape, scale, zeroPoints[0]), y: int8(outShape, 1, zeroPoints[1]) };
        const kernels = checkNode(caseOf(node, tensors, setting));
        const key = `${setting.rounding}${kernels.length === 0 ? " by its definition" : ""}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      },
    ),
    { numRuns: 300 },
  );
  // tflite requantizes where height and width are averaged and kept alone: below.
  for (const rounding of ["integer", "float32"]) assert.ok(seen.has(rounding), rounding);
});

test("images have a kernel over height, width and channels; other tensors where the axes are neighbours", () => {
  const planned = (shape: readonly number[], axes: readonly number[]): boolean => {
    const { node, outShape } = meanOf(shape, axes, false);
    return planMean(node, int8(shape, 1, 0), int8(outShape, 1, 5), "integer") !== undefined;
  };
  for (const axes of [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]]) assert.ok(planned([2, 3, 4, 5], axes));
  assert.ok(planned([1, 3, 4, 5], [0, 1, 2]) && !planned([2, 3, 4, 5], [0, 1, 2]));
  assert.ok(planned([2, 3, 4], [1]) && planned([2, 3, 4], [1, 2]) && !planned([2, 3, 4], [0, 2]));
});

test("rows of more than 256 pixels: sums leave 16 bits", () => {
  for (const rounding of ["integer", "tflite", "float32"] as const) {
    for (const code of [127, -128]) {
      const { node, outShape } = meanOf([1, 3, 700, 9], [1, 2], true);
      const tensors = { x: int8([1, 3, 700, 9], 1, -7), y: int8(outShape, 2, 4) };
      const given = caseOf(node, tensors, { rounding, borders: 15, seed: 3 });
      const data = { x: new Int8Array(given.data.x.length).fill(code) };
      assert.deepEqual(checkNode({ ...given, data }), ["meanCodes"]);
    }
  }
});
