import { QuantError } from "../core/errors.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../graph/quantized-graph.js";

/**
 * The graph for `batch` images: every tensor that a node computes or that comes in has as many times its first size.
 *
 * Constants stay as they are and are broadcast. Errors: RangeError for a batch that is no integer ≥ 1; QuantError `unsupported` for a
 * node that works along the first axis.
 */
export function withBatch(graph: QuantizedGraph, batch: number): QuantizedGraph {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new RangeError(`createSession: expected an integer batch ≥ 1, got ${batch}`);
  }
  if (batch === 1) return graph;
  for (const node of graph.nodes) checkNode(graph, node);
  const tensors: Record<string, QuantizedTensor> = {};
  for (const [name, tensor] of Object.entries(graph.tensors)) {
    const constant = tensor.dtype === "int8" && tensor.data !== undefined;
    const [first, ...rest] = tensor.shape;
    if (!constant && first === undefined) {
      throw new QuantError(
        "unsupported",
        `createSession: expected tensor "${name}" to have a batch axis, got a scalar; leave batch out`,
      );
    }
    tensors[name] = constant ? tensor : { ...tensor, shape: [first * batch, ...rest] };
  }
  return { ...graph, tensors };
}

function checkNode({ tensors }: QuantizedGraph, node: QuantizedNode): void {
  const input = tensors[node.inputs[0]].shape;
  const output = tensors[node.output].shape;
  if (input[0] !== output[0] || worksAlongBatch(node)) {
    throw new QuantError(
      "unsupported",
      `createSession: expected nodes to keep the batch axis, got ${node.op} "${node.name}"; leave batch out`,
      { node: node.name },
    );
  }
}

function worksAlongBatch(node: QuantizedNode): boolean {
  switch (node.op) {
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
      return node.begin[0] !== 0 || node.strides[0] !== 1;
    default:
      return false;
  }
}
