import { resolveAxis } from "../../core/shape.js";
import { keepsParameters } from "../keeps-parameters.js";
import { nodeLabel } from "../node-label.js";
import { isWeighted } from "../readers.js";
import type { EdgeQuantizer, Graph, GraphNode, NodeWeightGrid, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";
import { type AskedQuantizers, configuredEdges, defaultEdges } from "./edge-quantizers.js";
import { firstAndLast } from "./first-last.js";
import type { LayerSettings, PlacementDefaults, SettingsOf, TargetSettings } from "./placement-settings.js";
import { shareWithConcat } from "./share-with-concat.js";

/**
 * Says how each weight and each value is quantized: sets `weightGrid` of linear nodes and the graph's `quantizers`.
 *
 * Without `settingsOf` everything an integer runtime needs is quantized by the defaults:
 *  - float32 inputs of the graph; what linear nodes, batchNorm, activations, arithmetic, concat and mean give, after the
 *    fused activation; what opaque nodes give to such ops
 *  - softmax, sigmoid and tanh on fixed parameters
 *  - pools, pad, upsampling, reshape, flatten, permute and dropout keep their input's
 *  - what only a concat reads takes the concat's
 * With it, exactly the targets that the settings of each layer name; the last two rules hold all the same.
 *
 * Run it after the rewriting passes; earlier placements are replaced.
 * Errors: RangeError, naming the node, for an axis that its weights do not have.
 * Source: docs/numerics.md, "Where quantizers stand"; Jacob et al. 2018, §2.4 and §3.
 */
export function placeQuantizers(graph: Graph, defaults: PlacementDefaults, settingsOf?: SettingsOf): Graph {
  const asked = settingsOf === undefined ? defaultEdges(graph, defaults) : configuredEdges(graph, defaults, settingsOf);
  const quantizers = keptParameters(graph, asked);
  shareWithConcat(graph, quantizers);
  return {
    ...graph,
    nodes: withWeightGrids(graph, defaults, settingsOf),
    quantizers: Object.fromEntries(quantizers),
  };
}

/** What values ask for, and their input's parameters for values of ops that keep them and ask for nothing else. */
function keptParameters({ inputs, nodes }: Graph, asked: AskedQuantizers): Map<string, EdgeQuantizer> {
  const quantizers = new Map<string, EdgeQuantizer>();
  const place = (value: string, quantizer: EdgeQuantizer | undefined): void => {
    if (quantizer !== undefined) quantizers.set(value, quantizer);
  };
  for (const input of inputs) place(input, asked.get(input));
  for (const node of nodes) {
    for (const output of node.outputs) place(output, keeps(node, output) ?? asked.get(output));
  }
  return quantizers;

  function keeps(node: GraphNode, output: string): EdgeQuantizer | undefined {
    const before = keepsParameters(node) ? quantizers.get(node.inputs[0]) : undefined;
    if (before === undefined) return undefined;
    const like = "like" in before ? before.like : node.inputs[0];
    const own = asked.get(output);
    return own === undefined || JSON.stringify(own) === JSON.stringify(quantizers.get(like)) ? { like } : undefined;
  }
}

function withWeightGrids(
  graph: Graph,
  defaults: PlacementDefaults,
  settingsOf: SettingsOf | undefined,
): readonly GraphNode[] {
  const ends = firstAndLast(graph).nodes;
  // Uses of one layer have one grid, so a layer is first or last as soon as one of its uses is.
  const endWeights = new Set([...ends].filter(isWeighted).map(({ weights }) => weights));
  return graph.nodes.map((node) => {
    if (!isWeighted(node)) return node;
    const { weightGrid: _, ...bare } = node;
    const bits = endWeights.has(node.weights) ? (defaults.firstLastBits ?? defaults.weightBits) : defaults.weightBits;
    const settings = settingsOf === undefined ? undefined : settingsOf(node.layer);
    const target = settingsOf === undefined ? { bits } : settings?.targets.weight;
    const weightGrid = target === undefined ? undefined : weightGridOf(node, target, settings, defaults);
    return { ...bare, ...(weightGrid !== undefined && { weightGrid }) };
  });
}

function weightGridOf(
  node: WeightedNode,
  { bits, signed = true, symmetric = true, granularity }: TargetSettings,
  settings: LayerSettings | undefined,
  defaults: PlacementDefaults,
): NodeWeightGrid | undefined {
  if (bits === 32) return undefined;
  const usual = node.op === "dense" ? (defaults.denseGranularity ?? defaults.granularity) : defaults.granularity;
  const { shape, axis } = weightsView(node);
  const asked = settings?.axis;
  return {
    bits,
    granularity: granularity ?? usual,
    axis: asked === undefined ? axis : resolveAxis(`placeQuantizers: ${nodeLabel(node)}`, asked, shape.length),
    symmetric,
    signed,
    ...(settings?.quantStartStep !== undefined && { quantStartStep: settings.quantStartStep }),
  };
}
