import { isWeighted, readersOf, soleReader, withNodes } from "../readers.js";
import type { ArithmeticNode, BatchNormNode, FusedActivation, Graph, GraphNode, WeightedNode } from "../types.js";

/**
 * Takes each relu and relu6 into the node before it, where the integer op can clamp: conv2d, depthwiseConv2d, dense,
 * batchNorm, add, subtract, multiply, if nothing else reads what they give.
 *
 * concat and the pools hand codes through, and mean has no clamp in the file formats: an activation behind them stays.
 * A shared layer takes the activation in where all its uses are followed by the same one.
 */
export function fuseActivation(graph: Graph): Graph {
  const pairs = pairsOf(graph);
  if (pairs.size === 0) return graph;
  const fused = new Set<GraphNode>(pairs.values());
  return withNodes(
    graph,
    graph.nodes.flatMap((node) => {
      if (fused.has(node)) return [];
      const activation = pairs.get(node);
      if (activation === undefined) return [node];
      const { op, layer, outputs } = activation;
      // An activation inside a layer (Conv2D with activation: "relu") has that layer as its source: nothing was added.
      const layers = layer.id === node.layer.id ? node.fused : [...node.fused, layer];
      return [{ ...node, activation: op as FusedActivation, fused: layers, outputs } as GraphNode];
    }),
  );
}

type Clamping = WeightedNode | BatchNormNode | ArithmeticNode;

function pairsOf(graph: Graph): ReadonlyMap<GraphNode, GraphNode> {
  const readers = readersOf(graph);
  const activationAfter = (node: Clamping): GraphNode | undefined => {
    if (node.activation !== "linear") return undefined;
    const reader = soleReader(graph, readers, node.outputs[0]);
    return reader?.op === "relu" || reader?.op === "relu6" ? reader : undefined;
  };
  const clamping = graph.nodes.filter(isClamping);
  const uses = new Map<string, readonly Clamping[]>();
  for (const node of clamping) {
    const key = sharedKey(node);
    uses.set(key, [...(uses.get(key) ?? []), node]);
  }
  const pairs = new Map<GraphNode, GraphNode>();
  for (const node of clamping) {
    const activation = activationAfter(node);
    if (activation === undefined) continue;
    const all = uses.get(sharedKey(node)) ?? [];
    if (all.every((use) => activationAfter(use)?.op === activation.op)) pairs.set(node, activation);
  }
  return pairs;
}

function isClamping(node: GraphNode): node is Clamping {
  return isWeighted(node) || ["batchNorm", "add", "subtract", "multiply"].includes(node.op);
}

/** Equal for nodes that are uses of the same weights. */
function sharedKey(node: Clamping): string {
  if (isWeighted(node)) return `weights ${node.weights}`;
  return node.op === "batchNorm" ? `weights ${node.mean}` : `node ${node.name}`;
}
