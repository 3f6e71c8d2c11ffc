import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { fixedParameters } from "../passes/edge-quantizers.js";
import { foldBatchNorm } from "../passes/fold-batch-norm.js";
import { isWeighted } from "../readers.js";
import type { FixedQuantizer, Graph, GraphNode, NodeDorefa, NodeWeightGrid, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";

/** Whether DoReFaQuantizer trained a network: it has rounded weights, or clipped activations or signs. */
export function isDorefa({ nodes, quantizers }: Graph): boolean {
  const trained = nodes.some((node) => isWeighted(node) && node.dorefa !== undefined);
  return trained || Object.values(quantizers).some((quantizer) => "bound" in quantizer || "sign" in quantizer);
}

/**
 * DoReFa's graph as integers compute it: batch norms go into the layers before them, which training does not let them, and layers
 * whose weights training left in float get 8 bits, one scale per output channel. Softmax, sigmoid and tanh, which training does not
 * round, get the parameters that file formats prescribe.
 *
 * Other graphs come back as they are.
 *
 * @param firstLast what becomes of layers in float; "float": they stay, and lower refuses them
 */
export function prepareDorefa(graph: Graph, firstLast: "int8" | "float"): Graph {
  if (!isDorefa(graph)) return graph;
  const rounded = new Map(graph.nodes.filter(isWeighted).flatMap(roundedWeights));
  const folded = foldBatchNorm({ ...graph, nodes: graph.nodes.map(withoutDorefa) });
  const nodes = folded.nodes.map((node): GraphNode => {
    if (!isWeighted(node)) return node;
    const dorefa = rounded.get(node.name);
    if (dorefa !== undefined) return { ...node, dorefa };
    return firstLast === "float" ? node : { ...node, weightGrid: grid(weightsView(node).axis) };
  });
  return { ...folded, nodes, quantizers: { ...fixedQuantizers(folded), ...graph.quantizers } };
}

function roundedWeights({ name, dorefa }: WeightedNode): [string, NodeDorefa][] {
  return dorefa === undefined || dorefa.weightBits === UNTOUCHED_BITS ? [] : [[name, dorefa]];
}

function withoutDorefa(node: GraphNode): GraphNode {
  if (!isWeighted(node)) return node;
  const { dorefa: _, ...rest } = node;
  return rest;
}

function fixedQuantizers({ nodes }: Graph): Readonly<Record<string, FixedQuantizer>> {
  return Object.fromEntries(
    nodes.flatMap((node) => {
      const fixed = fixedParameters(node, 8, true);
      return fixed === undefined ? [] : [[node.outputs[0], { bits: 8, signed: true, fixed }]];
    }),
  );
}

function grid(axis: number): NodeWeightGrid {
  return { bits: 8, granularity: "perChannel", axis, symmetric: true, signed: true };
}
