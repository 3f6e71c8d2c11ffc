import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, IntegerSoftmaxNode } from "../../src/graph/quantized-graph.js";
import { caseOf, checkNode, expectedOf, settings } from "./run-node.js";

const node = (beta: number): IntegerSoftmaxNode => ({ op: "softmax", name: "s", inputs: ["x"], output: "y", beta });
const output = (shape: readonly number[]): Int8Tensor => ({ dtype: "int8", shape, scale: 1 / 256, zeroPoint: -128 });

test("softmax over the last axis of any shape", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0.001, 0.1, 5).map(Math.fround),
      fc.constantFrom(1, 0.5),
      settings,
      (shape, scale, beta, setting) => {
        const x: Int8Tensor = { dtype: "int8", shape, scale, zeroPoint: 9 };
        assert.deepEqual(checkNode(caseOf(node(beta), { x, y: output(shape) }, setting)), ["softmax"]);
      },
    ),
    { numRuns: 200 },
  );
});

test("one class has all of it, equal classes share it, and far ones get none", () => {
  const codes = (...x: number[]): Int8Array => {
    const tensors = {
      x: { dtype: "int8", shape: [x.length], scale: 1, zeroPoint: 0 } as const,
      y: output([x.length]),
    };
    const given = caseOf(node(1), tensors, { rounding: "integer", borders: 0, seed: 1 });
    const data = { x: Int8Array.from(x) };
    assert.deepEqual(checkNode({ ...given, data }), ["softmax"]);
    return expectedOf({ ...given, data }) as Int8Array;
  };
  assert.deepEqual(codes(-128), Int8Array.of(127));
  assert.deepEqual(codes(5, 5, 5, 5), Int8Array.of(-64, -64, -64, -64));
  assert.deepEqual(codes(127, -128), Int8Array.of(127, -128));
});
