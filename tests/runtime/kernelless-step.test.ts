import assert from "node:assert/strict";
import { it } from "node:test";
import type { Int8Tensor } from "../../src/graph/quantized-graph.js";
import { kernellessStep } from "../../src/runtime/kernelless-step.js";

const tensor = (shape: readonly number[], scale: number): Int8Tensor => ({ dtype: "int8", shape, scale, zeroPoint: 0 });

it("kernellessStep: a sum, a difference, an average pool and a mean", () => {
  const names = { name: "n", inputs: ["a", "b"], output: "y", activation: "linear" } as const;
  const pair = [tensor([3], 1), tensor([3], 1)];
  const y = new Int8Array(3);
  kernellessStep(
    { op: "add", ...names },
    pair,
    tensor([3], 1),
    "integer",
  )([Int8Array.of(1, 2, 100), Int8Array.of(5, -7, 100)], y);
  assert.deepEqual(y, Int8Array.of(6, -5, 127));
  kernellessStep(
    { op: "subtract", ...names },
    pair,
    tensor([3], 1),
    "integer",
  )([Int8Array.of(1, 2, -100), Int8Array.of(5, -7, 100)], y);
  assert.deepEqual(y, Int8Array.of(-4, 9, -128));
  const one = new Int8Array(1);
  const pool = { poolSize: [1, 2], strides: [1, 1], padding: "valid" } as const;
  const map = tensor([1, 1, 2, 1], 1);
  kernellessStep(
    { op: "averagePool2d", ...names, ...pool },
    [map],
    tensor([1, 1, 1, 1], 1),
    "integer",
  )([Int8Array.of(3, 6)], one);
  assert.deepEqual(one, Int8Array.of(5), "4.5, a tie, up");
  const mean = { op: "mean", name: "n", inputs: ["a"], output: "y", axes: [0, 2], keepDims: false } as const;
  const two = new Int8Array(2);
  kernellessStep(mean, [tensor([2, 2, 1], 1)], tensor([2], 1), "integer")([Int8Array.of(2, 10, 4, 20)], two);
  assert.deepEqual(two, Int8Array.of(3, 15));
});

it("kernellessStep: ops that always have a kernel", () => {
  const node = { op: "softmax", name: "probs", inputs: ["x"], output: "y", beta: 1 } as const;
  assert.throws(() => kernellessStep(node, [tensor([3], 1)], tensor([3], 1), "integer"), {
    name: "Error",
    message: 'softmax "probs": expected a kernel in the plan, got none',
  });
});
