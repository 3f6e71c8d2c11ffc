import { isWeighted } from "../readers.js";
import type { Graph, GraphNode, WeightedNode } from "../types.js";

/** The ends of a network. */
export interface FirstLast {
  /** Weighted nodes with no weighted node before them, or none behind them. */
  readonly nodes: ReadonlySet<GraphNode>;
  /** The two kinds of nodes apart; a node may be both. */
  readonly first: ReadonlySet<WeightedNode>;
  readonly last: ReadonlySet<WeightedNode>;
  /** Values behind weighted nodes with none behind the value: what the last layers give, up to the outputs. */
  readonly lastValues: ReadonlySet<string>;
}

/** Finds the first and last layers with weights, along every path from the inputs to the outputs. */
export function firstAndLast(graph: Graph): FirstLast {
  const first = new Set<WeightedNode>();
  const last = new Set<WeightedNode>();
  const behind = new Set<string>();
  for (const node of graph.nodes) {
    const isBehind = node.inputs.some((input) => behind.has(input));
    if (isWeighted(node) && !isBehind) first.add(node);
    if (isWeighted(node) || isBehind) for (const output of node.outputs) behind.add(output);
  }
  const before = new Set<string>();
  for (const node of [...graph.nodes].reverse()) {
    const isBefore = node.outputs.some((output) => before.has(output));
    if (isWeighted(node) && !isBefore) last.add(node);
    if (isWeighted(node) || isBefore) for (const input of node.inputs) before.add(input);
  }
  const nodes = new Set([...first, ...last]);
  return { nodes, first, last, lastValues: new Set([...behind].filter((value) => !before.has(value))) };
}
