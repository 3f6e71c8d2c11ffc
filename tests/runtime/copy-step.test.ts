import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, QuantizedNode } from "../../src/graph/quantized-graph.js";
import { caseOf, checkNode, settings } from "./run-node.js";

const int8 = (shape: readonly number[]): Int8Tensor => ({ dtype: "int8", shape, scale: 0.5, zeroPoint: -3 });
const shapes = (most: number, rank: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: most }), { minLength: 1, maxLength: rank });

/** A node from x to y, beside the fields that make it. */
function nodeOf(fields: Record<string, unknown>): QuantizedNode {
  return { name: "move", inputs: ["x"], output: "y", ...fields } as unknown as QuantizedNode;
}

test("concat of one to four tensors along any axis", () => {
  fc.assert(
    fc.property(
      shapes(6, 5),
      fc.nat(4),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }),
      settings,
      (shape, nth, sizes, setting) => {
        const axis = nth % shape.length;
        const along = (size: number): Int8Tensor => int8(shape.map((own, i) => (i === axis ? size : own)));
        const inputs = sizes.map((_, i) => `x${i}`);
        const tensors = Object.fromEntries(sizes.map((size, i) => [`x${i}`, along(size)]));
        const y = along(sizes.reduce((sum, size) => sum + size, 0));
        const kernels = checkNode(caseOf(nodeOf({ op: "concat", axis, inputs }), { ...tensors, y }, setting));
        assert.deepEqual(kernels, ["copyStrided"]);
      },
    ),
    { numRuns: 200 },
  );
});

test("pad before and behind any axis", () => {
  const pairs = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(shapes(6, 5), pairs, settings, (shape, drawn, setting) => {
      const padding = drawn.slice(0, shape.length);
      const y = int8(shape.map((size, i) => padding[i][0] + size + padding[i][1]));
      const kernels = checkNode(caseOf(nodeOf({ op: "pad", padding }), { x: int8(shape), y }, setting));
      assert.deepEqual(kernels, ["fillRows", "copyStrided"]);
    }),
    { numRuns: 200 },
  );
});

test("strided slices along any axis", () => {
  const slices = fc.array(
    fc.record({ begin: fc.nat(3), stride: fc.integer({ min: 1, max: 3 }), size: fc.integer({ min: 1, max: 4 }) }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(slices, fc.nat(2), settings, (drawn, behind, setting) => {
      const shape = drawn.map(({ begin, stride, size }) => begin + (size - 1) * stride + 1 + behind);
      const node = nodeOf({
        op: "stridedSlice",
        begin: drawn.map(({ begin }) => begin),
        strides: drawn.map(({ stride }) => stride),
      });
      checkNode(caseOf(node, { x: int8(shape), y: int8(drawn.map(({ size }) => size)) }, setting));
    }),
    { numRuns: 200 },
  );
});

test("transposes of up to six axes", () => {
  fc.assert(
    fc.property(shapes(4, 6), fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), settings, (shape, keys, setting) => {
      const permutation = shape.map((_, i) => i).sort((a, b) => keys[a] - keys[b]);
      const y = int8(permutation.map((axis) => shape[axis]));
      checkNode(caseOf(nodeOf({ op: "transpose", permutation }), { x: int8(shape), y }, setting));
    }),
    { numRuns: 200 },
  );
});

test("runs of every length", () => {
  for (let size = 1; size <= 40; size++) {
    const tensors = { a: int8([3, size]), b: int8([3, 2]), y: int8([3, size + 2]) };
    const node = nodeOf({ op: "concat", axis: 1, inputs: ["a", "b"] });
    checkNode(caseOf(node, tensors, { rounding: "integer", borders: 0, seed: size }));
  }
});
