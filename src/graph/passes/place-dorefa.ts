import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { handsCodesThrough } from "../keeps-parameters.js";
import { isWeighted, readersOf, soleReader } from "../readers.js";
import type { EdgeQuantizer, Graph, GraphNode } from "../types.js";
import { clipActivations } from "./clip-activations.js";
import type { DorefaDefaults, DorefaSettingsOf } from "./dorefa-settings.js";
import { defaultEdges } from "./edge-quantizers.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { fuseActivation } from "./fuse-activation.js";

/**
 * Says how DoReFaQuantizer trains a network: sets `dorefa` of linear nodes and the graph's `quantizers`, and fuses the activations
 * that stay.
 *
 * Batch norms stay nodes, since weights go through tanh and not through γ/σ: run it instead of foldBatchNorm and fuseActivation.
 * Where activations are clipped: clipActivations. What else integers will need a range of is observed: what the layers that stay read
 * and give. Source: Zhou et al. 2016, algorithm 1.
 */
export function placeDorefa(graph: Graph, { seed, activation }: DorefaDefaults, settingsOf: DorefaSettingsOf): Graph {
  const clipped = clipActivations(graph, activation, settingsOf);
  const fused = fuseActivation(clipped);
  const nodes = fused.nodes.map((node): GraphNode => {
    if (!isWeighted(node)) return node;
    const settings = settingsOf(node.layer, node.weights);
    if (settings?.tensor === undefined) return node;
    const { weight: weightBits, gradient: gradientBits, tensor } = settings;
    if (weightBits === UNTOUCHED_BITS && gradientBits === UNTOUCHED_BITS) return node;
    return { ...node, dorefa: { weightBits, gradientBits, seed, tensor } };
  });
  // What was fused had one reader, the activation: no value that is clipped.
  const placed = { ...fused, nodes, quantizers: clipped.quantizers };
  const untouched = Object.keys(clipped.quantizers).length === 0 && !nodes.some((node) => "dorefa" in node);
  return untouched ? placed : { ...placed, quantizers: { ...observedEdges(placed), ...clipped.quantizers } };
}

/** Integers of 8 bits, whose ranges nothing tells beforehand. */
const OBSERVED = { weightBits: 8, activationBits: 8, granularity: "perChannel", symmetric: false } as const;

/** Quantizers that observe: on what integers will compute where batch norms are folded, as far as no clip says its range. */
function observedEdges(graph: Graph): Readonly<Record<string, EdgeQuantizer>> {
  const bare = graph.nodes.map((node): GraphNode => {
    if (!("dorefa" in node)) return node;
    const { dorefa: _, ...rest } = node;
    return rest;
  });
  const integers = fuseActivation(foldBatchNorm({ ...graph, nodes: bare }));
  const readers = readersOf(graph);
  const isClipped = (value: string): boolean => {
    const quantizer = graph.quantizers[value];
    if (quantizer !== undefined) return true;
    const reader = soleReader(graph, readers, value);
    return reader !== undefined && handsCodesThrough(reader) && isClipped(reader.outputs[0]);
  };
  const edges = [...defaultEdges(integers, OBSERVED)].flatMap(([value, quantizer]): [string, EdgeQuantizer][] =>
    "fixed" in quantizer || isClipped(value) ? [] : [[value, { ...quantizer, observeOnly: true }]],
  );
  return Object.fromEntries(edges);
}
