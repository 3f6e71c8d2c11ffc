import { isWeighted, readersOf, soleReader, withNodes } from "../readers.js";
import type { BatchNormNode, Graph, NodeBatchNorm, WeightedNode } from "../types.js";

/**
 * Takes each batch normalization into the conv2d, depthwiseConv2d or dense whose output nothing else reads.
 *
 * The node's `batchNorm` then names gamma, beta and the moving statistics; weights and data stay as they are, because
 * training needs both. A shared layer is folded where every use of it is followed by a use of one and the same batch
 * norm, and that norm is used nowhere else: otherwise one set of folded weights would not do. An activation that the norm had
 * taken in comes along.
 * A normalization behind a quantizer, or behind anything else (an activation, a concat, an input) stays a node.
 * Source: Jacob et al. 2018, §3.2.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const pairs = pairsOf(graph);
  if (pairs.size === 0) return graph;
  const taken = new Set<unknown>(pairs.values());
  return withNodes(
    graph,
    graph.nodes.flatMap((node) => {
      if (taken.has(node)) return [];
      const norm = isWeighted(node) ? pairs.get(node) : undefined;
      if (norm === undefined) return [node];
      const { layer, fused: behind, activation, outputs } = norm;
      const fused = [...node.fused, layer, ...behind];
      return [{ ...node, batchNorm: batchNormOf(norm), activation, fused, outputs }];
    }),
  );
}

/** Linear nodes with the batch norm that they can take in. */
function pairsOf(graph: Graph): ReadonlyMap<WeightedNode, BatchNormNode> {
  const readers = readersOf(graph);
  const linear = graph.nodes.filter(isWeighted);
  const norms = graph.nodes.filter((node) => node.op === "batchNorm");
  const readerOf = (node: WeightedNode): BatchNormNode | undefined => {
    if (graph.quantizers[node.outputs[0]] !== undefined) return undefined;
    // DoReFa's weights go through tanh: a factor per channel does not commute with that.
    if (node.activation !== "linear" || node.batchNorm !== undefined || node.dorefa !== undefined) return undefined;
    const reader = soleReader(graph, readers, node.outputs[0]);
    return reader?.op === "batchNorm" ? reader : undefined;
  };
  const pairs = new Map<WeightedNode, BatchNormNode>();
  for (const node of linear) {
    const norm = readerOf(node);
    if (norm === undefined) continue;
    const uses = linear.filter(({ weights }) => weights === node.weights);
    const normUses = norms.filter(({ mean }) => mean === norm.mean);
    if (uses.length === normUses.length && uses.every((use) => readerOf(use)?.mean === norm.mean))
      pairs.set(node, norm);
  }
  return pairs;
}

function batchNormOf(node: BatchNormNode): NodeBatchNorm {
  const { layer, gamma, beta, mean, variance, epsilon, momentum, trainable } = node;
  return {
    layer,
    ...(gamma !== undefined && { gamma }),
    ...(beta !== undefined && { beta }),
    mean,
    variance,
    epsilon,
    momentum,
    trainable,
  };
}
