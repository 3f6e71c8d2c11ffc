import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, IntegerResizeNode } from "../../src/graph/quantized-graph.js";
import { caseOf, checkNode, settings } from "./run-node.js";

const int8 = (shape: readonly number[]): Int8Tensor => ({ dtype: "int8", shape, scale: 0.5, zeroPoint: 7 });
const size = fc.integer({ min: 1, max: 13 });

test("nearest and bilinear resizes between any sizes, under all conventions", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.record({
        op: fc.constantFrom("resizeNearest", "resizeBilinear"),
        batch: fc.integer({ min: 1, max: 2 }),
        from: fc.tuple(size, size),
        to: fc.tuple(size, size),
        channels: fc.integer({ min: 1, max: 20 }),
        alignCorners: fc.boolean(),
        halfPixelCenters: fc.boolean(),
      }),
      settings,
      ({ batch, from, to, channels, ...fields }, setting) => {
        const node: IntegerResizeNode = { name: "resize", inputs: ["x"], output: "y", ...fields };
        const tensors = { x: int8([batch, ...from, channels]), y: int8([batch, ...to, channels]) };
        for (const kernel of checkNode(caseOf(node, tensors, setting))) seen.add(kernel);
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual([...seen].sort(), ["resizeBilinear", "resizeNearest"]);
});

test("the largest and the smallest code everywhere stay what they are", () => {
  for (const code of [127, -128]) {
    for (const rounding of ["integer", "tflite", "float32"] as const) {
      const node = { name: "resize", inputs: ["x"], output: "y", op: "resizeBilinear" } as const;
      const tensors = { x: int8([1, 3, 4, 9]), y: int8([1, 7, 11, 9]) };
      const given = caseOf({ ...node, alignCorners: false, halfPixelCenters: true }, tensors, {
        rounding,
        borders: 5,
        seed: 1,
      });
      checkNode({ ...given, data: { x: new Int8Array(108).fill(code) } });
    }
  }
});

test("a width so large that tflite's positions in steps pass the last pixel", () => {
  const node = { name: "resize", inputs: ["x"], output: "y", op: "resizeBilinear" } as const;
  const tensors = { x: int8([1, 1, 3, 2]), y: int8([1, 1, 2000, 2]) };
  const given = caseOf({ ...node, alignCorners: false, halfPixelCenters: false }, tensors, {
    rounding: "tflite",
    borders: 0,
    seed: 1,
  });
  assert.deepEqual(checkNode(given), ["resizeBilinear"]);
});
