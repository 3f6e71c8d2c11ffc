import { expectThat, quoted } from "../core/expect-that.js";
import { nodeLabel } from "./node-label.js";
import type { QuantizedGraph, QuantizedNode } from "./quantized-graph.js";

/**
 * Checks that a valid graph computes its samples apart from each other, so that whoever runs it may put n batches behind each
 * other: every tensor but the constants then has n times its first size, and nothing else changes.
 *
 * Axis 0 is the batch, or the batch times sizes behind it (a reshape [1, 7, 64] → [7, 64]); an op must not work along it.
 *
 * Errors: QuantError `unsupported`, naming the first node that does.
 */
export function checkBatchAxis(graph: QuantizedGraph): void {
  for (const input of graph.inputs) {
    const { shape } = graph.tensors[input];
    expectThat(shape.length > 0, "unsupported", `graph input ${quoted(input)}`, "a first axis", "none");
  }
  for (const node of graph.nodes) {
    const where = nodeLabel(node);
    expectThat(
      !worksAlongBatch(node, graph),
      "unsupported",
      where,
      "an op that keeps samples apart",
      "one along axis 0",
    );
  }
}

function worksAlongBatch(node: QuantizedNode, { tensors }: QuantizedGraph): boolean {
  const output = tensors[node.output].shape;
  const [{ shape: x }] = node.inputs.map((name) => tensors[name]);
  if (output.length === 0) return true;
  switch (node.op) {
    case "fullyConnected":
      return node.keepDims && x.length === 1;
    case "add":
    case "subtract":
    case "multiply":
      return node.inputs.some((name) => {
        const { shape, ...tensor } = tensors[name];
        const isConstant = "data" in tensor;
        return isConstant
          ? shape.length === output.length && shape[0] !== 1
          : shape.length !== output.length || shape[0] !== output[0];
      });
    case "concat":
    case "argMax":
      return node.axis === 0;
    case "mean":
      return node.axes.includes(0);
    case "pad":
      return node.padding[0].some((size) => size !== 0);
    case "transpose":
      return node.permutation[0] !== 0;
    case "stridedSlice":
      return node.begin[0] !== 0 || node.strides[0] !== 1 || output[0] !== x[0];
    case "softmax":
      return x.length === 1;
    default:
      return false;
  }
}
