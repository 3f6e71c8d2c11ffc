import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { isWeighted } from "../readers.js";
import type { Graph, GraphNode } from "../types.js";
import { clipActivations } from "./clip-activations.js";
import type { DorefaDefaults, DorefaSettingsOf } from "./dorefa-settings.js";
import { fuseActivation } from "./fuse-activation.js";

/**
 * Says how DoReFaQuantizer trains a network: sets `dorefa` of linear nodes and the graph's `quantizers`, and fuses the activations
 * that stay.
 *
 * Batch norms stay nodes, since weights go through tanh and not through γ/σ: run it instead of foldBatchNorm and fuseActivation.
 * Where activations are clipped: clipActivations. Source: Zhou et al. 2016, algorithm 1.
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
  return { ...fused, nodes, quantizers: clipped.quantizers };
}
