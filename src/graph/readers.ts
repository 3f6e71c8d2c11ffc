import type { Graph, GraphNode, WeightedNode } from "./types.js";

/** The nodes that read each value, once per node; values nobody reads are absent. */
export function readersOf({ nodes }: Graph): ReadonlyMap<string, readonly GraphNode[]> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  return readers;
}

/** The one node that reads a value; undefined where there are several, or where the value leaves the graph. */
export function soleReader(
  graph: Graph,
  readers: ReadonlyMap<string, readonly GraphNode[]>,
  value: string,
): GraphNode | undefined {
  const found = readers.get(value);
  return found?.length === 1 && !graph.outputs.includes(value) ? found[0] : undefined;
}

/** Whether a node multiplies its input by weights. */
export function isWeighted(node: GraphNode): node is WeightedNode {
  return node.op === "conv2d" || node.op === "depthwiseConv2d" || node.op === "dense";
}

/** The graph with other nodes: values that no node gives any more are dropped, and quantizers must be placed anew. */
export function withNodes(graph: Graph, nodes: readonly GraphNode[], values = graph.values): Graph {
  const given = new Set([...graph.inputs, ...nodes.flatMap(({ outputs }) => outputs)]);
  const kept = Object.fromEntries(Object.entries(values).filter(([name]) => given.has(name)));
  return { ...graph, nodes, values: kept, quantizers: {} };
}
