import assert from "node:assert/strict";
import { it } from "node:test";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { withBatch } from "../../src/runtime/with-batch.js";

const int8 = { dtype: "int8", scale: 1, zeroPoint: 0 } as const;
const graph: QuantizedGraph = {
  name: "two nodes",
  inputs: ["x"],
  outputs: ["z"],
  tensors: {
    x: { ...int8, shape: [1, 3] },
    c: { ...int8, shape: [1, 3], data: Int8Array.of(1, 2, 3) },
    y: { ...int8, shape: [1, 3] },
    z: { ...int8, shape: [1, 3] },
  },
  nodes: [
    { name: "sum", op: "add", inputs: ["x", "c"], output: "y", activation: "linear" },
    { name: "turn", op: "transpose", inputs: ["y"], output: "z", permutation: [0, 1] },
  ],
};

it("every tensor but constants has the batch", () => {
  const { tensors } = withBatch(graph, 5);
  assert.deepEqual(
    Object.entries(tensors).map(([name, { shape }]) => [name, shape]),
    [
      ["x", [5, 3]],
      ["c", [1, 3]],
      ["y", [5, 3]],
      ["z", [5, 3]],
    ],
  );
  assert.equal(withBatch(graph, 1), graph);
});

it("refuses nodes that work along the batch", () => {
  const nodes = [graph.nodes[0], { name: "all", op: "concat", inputs: ["y", "y"], output: "z", axis: 0 } as const];
  const joined = { ...graph, nodes, tensors: { ...graph.tensors, z: { ...int8, shape: [2, 3] } } };
  assert.throws(() => withBatch(joined, 2), {
    name: "QuantError",
    code: "unsupported",
    message: 'createSession: expected nodes to keep the batch axis, got concat "all"; leave batch out',
  });
});

it("refuses a batch that is no integer ≥ 1", () => {
  for (const batch of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => withBatch(graph, batch), {
      name: "RangeError",
      message: `createSession: expected an integer batch ≥ 1, got ${batch}`,
    });
  }
});
