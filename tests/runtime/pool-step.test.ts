import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, IntegerPool2dNode } from "../../src/graph/quantized-graph.js";
import { planPool } from "../../src/runtime/pool-step.js";
import { caseOf, checkNode, expectedOf, settings } from "./run-node.js";

const int8 = (shape: readonly number[], zeroPoint = 0): Int8Tensor => ({
  dtype: "int8",
  shape,
  scale: Math.fround(0.05),
  zeroPoint,
});
const size = fc.integer({ min: 1, max: 5 });
const plain = { rounding: "integer", borders: 0, seed: 1 } as const;

test("max and average pools of any window, stride and padding, relu and relu6 among them", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.record({
        op: fc.constantFrom("maxPool2d", "averagePool2d"),
        shape: fc.tuple(fc.integer({ min: 1, max: 3 }), size, fc.integer({ min: 1, max: 9 })),
        channels: fc.integer({ min: 1, max: 36 }),
        poolSize: fc.tuple(size, size),
        strides: fc.tuple(size, size),
        padding: fc.constantFrom("same", "valid"),
        activation: fc.constantFrom("linear", "relu", "relu6"),
        zeroPoint: fc.integer({ min: -128, max: 127 }),
      }),
      settings,
      ({ shape, channels, zeroPoint, ...fields }, setting) => {
        const { padding, strides, poolSize } = fields;
        const outputs = [0, 1].map((i) =>
          Math.ceil((shape[i + 1] - (padding === "same" ? 0 : poolSize[i] - 1)) / strides[i]),
        );
        fc.pre(outputs.every((count) => count > 0));
        const node: IntegerPool2dNode = { name: "pool", inputs: ["x"], output: "y", ...fields };
        const tensors = {
          x: int8([...shape, channels], zeroPoint),
          y: int8([shape[0], ...outputs, channels], zeroPoint),
        };
        for (const kernel of checkNode(caseOf(node, tensors, setting))) seen.add(kernel);
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual([...seen].sort(), ["averagePool", "maxPool"]);
});

/** The average of a window that is the whole map. */
const whole = (height: number, width: number): { node: IntegerPool2dNode; x: Int8Tensor; y: Int8Tensor } => ({
  node: {
    op: "averagePool2d",
    name: "pool",
    inputs: ["x"],
    output: "y",
    poolSize: [height, width],
    strides: [1, 1],
    padding: "valid",
    activation: "linear",
  },
  x: int8([1, height, width, 2]),
  y: int8([1, 1, 1, 2]),
});

test("averages round ties away from code 0", () => {
  const { node, x, y } = whole(1, 4);
  const given = { ...caseOf(node, { x, y }, plain), data: { x: Int8Array.of(1, -1, 1, -1, 0, 0, 0, 0) } };
  assert.deepEqual(checkNode(given), ["averagePool"]);
  assert.deepEqual(expectedOf(given), Int8Array.of(1, -1));
});

test("every sum near a tie, of windows up to the most pixels that divide exactly", () => {
  // Whole windows of one code but for some pixels, so that sums pass the ties next to each end of the codes.
  for (const n of [1, 2, 3, 7, 49, 255, 256, 257, 512, 1023, 4078, 4079]) {
    const { node, x, y } = whole(1, n);
    for (const [code, other] of [
      [127, 126],
      [-128, -127],
      [0, 1],
      [-1, 0],
    ]) {
      for (const others of [0, 1, n >> 1, (n + 1) >> 1, n - 1]) {
        const data = { x: Int8Array.from({ length: 2 * n }, (_, i) => (i >> 1 < others ? other : code)) };
        checkNode({ ...caseOf(node, { x, y }, plain), data });
      }
    }
  }
});

test("windows of more pixels have no kernel", () => {
  const planned = (height: number, width: number): boolean => {
    const { node, x, y } = whole(height, width);
    return planPool(node, x, y, "integer") !== undefined;
  };
  assert.deepEqual([planned(1, 4079), planned(64, 64), planned(63, 64)], [true, false, true]);
  const { node, x, y } = whole(64, 64);
  assert.notEqual(planPool({ ...node, op: "maxPool2d" }, x, y, "integer"), undefined);
});
