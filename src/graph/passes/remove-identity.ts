import { withNodes } from "../readers.js";
import { sameShape } from "../same-shape.js";
import type { Graph, GraphNode } from "../types.js";

/**
 * Takes out nodes that do nothing: linear activations, dropout of rate 0, reshapes to the same shape, permutations that
 * keep the order, padding by 0, pools and upsampling of 1 × 1, concats of one input. A reshape of a reshape reads the
 * first one's input.
 *
 * Outputs of the graph keep their names; a node stays where an output would become an input or another output.
 */
export function removeIdentity(graph: Graph): Graph {
  const alias = new Map<string, string>();
  const renamed = new Map<string, string>();
  const producers = new Map<string, GraphNode>();
  const kept: GraphNode[] = [];
  for (const original of graph.nodes) {
    const node = readThroughReshape(
      withInputs(original, (input) => alias.get(input) ?? input),
      producers,
    );
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (doesNothing(graph, node)) {
      if (!graph.outputs.includes(output)) {
        alias.set(output, input);
        continue;
      }
      if (producers.has(input) && !graph.outputs.includes(input) && !renamed.has(input)) {
        renamed.set(input, output);
        alias.set(output, input);
        continue;
      }
    }
    for (const name of node.outputs) producers.set(name, node);
    kept.push(node);
  }
  const named = kept.map((node) => ({
    ...withInputs(node, (input) => renamed.get(input) ?? input),
    outputs: node.outputs.map((output) => renamed.get(output) ?? output),
  }));
  const nodes = withoutUnread(graph, named);
  return nodes.length === graph.nodes.length && nodes.every((node, i) => sameValues(node, graph.nodes[i]))
    ? graph
    : withNodes(graph, nodes);
}

function withInputs(node: GraphNode, rename: (input: string) => string): GraphNode {
  return { ...node, inputs: node.inputs.map(rename) };
}

function readThroughReshape(node: GraphNode, producers: ReadonlyMap<string, GraphNode>): GraphNode {
  if (!isReshape(node)) return node;
  const before = producers.get(node.inputs[0]);
  return before !== undefined && isReshape(before) ? { ...node, inputs: before.inputs } : node;
}

function isReshape({ op }: GraphNode): boolean {
  return op === "reshape" || op === "flatten";
}

function doesNothing({ values }: Graph, node: GraphNode): boolean {
  switch (node.op) {
    case "identity":
      return true;
    case "dropout":
      return node.config.rate === 0;
    case "reshape":
    case "flatten":
      return sameShape(values[node.inputs[0]].shape, values[node.outputs[0]].shape);
    case "permute":
      return node.permutation.every((axis, i) => axis === i);
    case "zeroPad2d":
      return node.padding.flat().every((size) => size === 0);
    case "maxPool2d":
    case "averagePool2d":
      return [...node.poolSize, ...node.strides].every((size) => size === 1);
    case "upsample2d":
      return node.size.every((size) => size === 1);
    case "concat":
      return node.inputs.length === 1;
    default:
      return false;
  }
}

/** Without the reshapes that nothing reads any more. */
function withoutUnread({ outputs }: Graph, nodes: readonly GraphNode[]): readonly GraphNode[] {
  const read = new Set(outputs);
  const kept: GraphNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (isReshape(node) && !read.has(node.outputs[0])) continue;
    for (const input of node.inputs) read.add(input);
    kept.push(node);
  }
  return kept.reverse();
}

function sameValues(a: GraphNode, b: GraphNode): boolean {
  const equal = (x: readonly string[], y: readonly string[]) => x.every((name, i) => name === y[i]);
  return a.name === b.name && equal(a.inputs, b.inputs) && equal(a.outputs, b.outputs);
}
