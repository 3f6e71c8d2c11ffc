import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { QuantError } from "../../src/core/errors.js";
import { checkBatchAxis } from "../../src/graph/batch-axis.js";
import type { QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../src/graph/validate-quantized.js";
import { int8, quantizedGraph } from "./quantized-sketch.js";
import { randomQuantizedGraph } from "./random-quantized-graph.js";

const fixed = { scale: 1 / 256, zeroPoint: -128 };
const linear = { activation: "linear" };
const constant = (shape: readonly number[]): QuantizedTensor => int8(shape, { data: new Int8Array(2) });
const weights = { weights: Int8Array.of(1, 2), weightBits: 8, weightScales: Float32Array.of(1), ...linear };

/** Whether a valid graph of one node keeps samples apart. */
function keepsApart(
  tensors: Record<string, QuantizedTensor>,
  node: Readonly<Record<string, unknown>> & { readonly op: string },
): boolean {
  const graph = quantizedGraph(tensors, [{ inputs: ["x"], output: "y", ...node }]);
  validateQuantizedGraph(graph);
  try {
    checkBatchAxis(graph);
    return true;
  } catch (error) {
    const message = `${node.op} "y": expected an op that keeps samples apart, got one along axis 0`;
    assert.deepEqual(error, new QuantError("unsupported", message, { where: `${node.op} "y"` }));
    return false;
  }
}

test("ops along other axes keep samples apart", () => {
  const x = int8([2, 3, 4]);
  assert.ok(keepsApart({ x, y: int8([2, 6, 4]) }, { op: "concat", inputs: ["x", "x"], axis: 1 }));
  assert.ok(keepsApart({ x, y: int8([2, 4]) }, { op: "mean", axes: [1], keepDims: false }));
  assert.ok(keepsApart({ x, y: { dtype: "int32", shape: [2, 4] } }, { op: "argMax", axis: 1 }));
  assert.ok(keepsApart({ x, y: int8([2, 4, 3]) }, { op: "transpose", permutation: [0, 2, 1] }));
  assert.ok(keepsApart({ x, y: int8([6, 4]) }, { op: "reshape" }));
  assert.ok(
    keepsApart({ x: int8([2, 2]), c: constant([2]), y: int8([2, 2]) }, { op: "add", inputs: ["x", "c"], ...linear }),
  );
  const fc = { op: "fullyConnected", ...weights, weightsShape: [1, 2], keepDims: false };
  assert.ok(keepsApart({ x, y: int8([12, 1]) }, fc));
});

test("ops along axis 0 do not", () => {
  const x = int8([2, 3]);
  assert.ok(!keepsApart({ x, y: int8([4, 3]) }, { op: "concat", inputs: ["x", "x"], axis: 0 }));
  assert.ok(!keepsApart({ x, y: int8([3]) }, { op: "mean", axes: [0], keepDims: false }));
  assert.ok(!keepsApart({ x, y: { dtype: "int32", shape: [3] } }, { op: "argMax", axis: 0 }));
  assert.ok(!keepsApart({ x, y: int8([3, 2]) }, { op: "transpose", permutation: [1, 0] }));
  assert.ok(
    !keepsApart(
      { x, y: int8([3, 3]) },
      {
        op: "pad",
        padding: [
          [0, 1],
          [0, 0],
        ],
      },
    ),
  );
  assert.ok(!keepsApart({ x, y: int8([1, 3]) }, { op: "stridedSlice", begin: [1, 0], strides: [1, 1] }));
  assert.ok(!keepsApart({ x, y: int8([1, 3]) }, { op: "stridedSlice", begin: [0, 0], strides: [1, 1] }));
  assert.ok(!keepsApart({ x: int8([3]), y: int8([3], fixed) }, { op: "softmax", beta: 1 }));
  assert.ok(!keepsApart({ x: int8([3]), y: { dtype: "int32", shape: [] } }, { op: "argMax", axis: 0 }));
  assert.ok(
    !keepsApart(
      { x: int8([2, 1]), c: constant([2, 1]), y: int8([2, 1]) },
      { op: "add", inputs: ["x", "c"], ...linear },
    ),
  );
  assert.ok(!keepsApart({ x, b: int8([1, 3]), y: int8([2, 3]) }, { op: "add", inputs: ["x", "b"], ...linear }));
  assert.ok(!keepsApart({ x, b: int8([3]), y: int8([2, 3]) }, { op: "add", inputs: ["x", "b"], ...linear }));
  const fc = { op: "fullyConnected", ...weights, weightsShape: [1, 2], keepDims: true };
  assert.ok(!keepsApart({ x: int8([2]), y: int8([1]) }, fc));
});

test("an input without axes has no batch", () => {
  const graph = quantizedGraph({ x: int8([]), y: int8([1]) }, [{ op: "reshape", inputs: ["x"], output: "y" }]);
  const message = 'graph input "x": expected a first axis, got none';
  assert.throws(() => checkBatchAxis(graph), new QuantError("unsupported", message, { where: 'graph input "x"' }));
});

test("random graphs keep samples apart", () => {
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => checkBatchAxis(graph)),
    { numRuns: 300 },
  );
});
