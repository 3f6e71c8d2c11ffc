import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Int8Tensor, IntegerArgMaxNode, PlainTensor } from "../../src/graph/quantized-graph.js";
import { caseOf, checkNode, expectedOf, settings } from "./run-node.js";

test("argMax along any axis; the first among equals", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      fc.nat(4),
      fc.constantFrom(1, 3, 127),
      settings,
      (shape, nth, most, setting) => {
        const axis = nth % shape.length;
        const node: IntegerArgMaxNode = { op: "argMax", name: "a", inputs: ["x"], output: "y", axis };
        const x: Int8Tensor = { dtype: "int8", shape, scale: 1, zeroPoint: 0 };
        const y: PlainTensor = { dtype: "int32", shape: shape.filter((_, i) => i !== axis) };
        const given = caseOf(node, { x, y }, setting);
        // Few different codes: many are equal.
        const data = { x: (given.data.x as Int8Array).map((code) => code % (most + 1)) };
        assert.deepEqual(checkNode({ ...given, data }), ["argMax"]);
      },
    ),
    { numRuns: 200 },
  );
});

test("by hand", () => {
  const node: IntegerArgMaxNode = { op: "argMax", name: "a", inputs: ["x"], output: "y", axis: 1 };
  const x: Int8Tensor = { dtype: "int8", shape: [3, 4], scale: 1, zeroPoint: 0 };
  const given = caseOf(node, { x, y: { dtype: "int32", shape: [3] } }, { rounding: "integer", borders: 0, seed: 1 });
  const data = { x: Int8Array.of(...[1, 5, 5, 2], ...[-128, -128, -128, -128], ...[-3, -2, -1, 127]) };
  assert.deepEqual(checkNode({ ...given, data }), ["argMax"]);
  assert.deepEqual(expectedOf({ ...given, data }), Int32Array.of(1, 0, 3));
});
