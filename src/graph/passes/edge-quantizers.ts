import { keepsParameters } from "../keeps-parameters.js";
import { isWeighted, readersOf, soleReader } from "../readers.js";
import type { FixedQuantizer, Graph, GraphNode, OwnQuantizer } from "../types.js";
import { firstAndLast } from "./first-last.js";
import type { LayerSettings, PlacementDefaults, SettingsOf, TargetSettings } from "./placement-settings.js";

/** The quantizers that values ask for by themselves, before any are shared; absent: none. */
export type AskedQuantizers = ReadonlyMap<string, OwnQuantizer | FixedQuantizer>;

/**
 * Without a config list: every value that an integer op computes, and what comes to integer ops from outside them
 * (float32 inputs of the graph, opaque nodes).
 *
 * Inputs of the graph have at least 8 bits unless firstLastBits says otherwise: they are data of that many bits, and
 * fewer would throw them away before the first layer. So have its results, outputs and what only a softmax, sigmoid, tanh or
 * an op that keeps parameters turns into them: no weights follow that fewer bits would make cheaper, and fewer make ties. So have
 * softmax, sigmoid and tanh everywhere: file formats prescribe their 8 bits, and fewer would be rounded twice.
 */
export function defaultEdges(graph: Graph, defaults: PlacementDefaults): AskedQuantizers {
  const { activationBits, firstLastBits } = defaults;
  const { lastValues } = firstAndLast(graph);
  const needed = neededByIntegerOps(graph);
  const results = resultsOf(graph);
  const asked = new Map<string, OwnQuantizer | FixedQuantizer>();
  const ask = (value: string, node: GraphNode | undefined, bits: number): void => {
    const quantizer = quantizerFor(node, { bits }, defaults, undefined);
    if (quantizer !== undefined && graph.values[value].dtype === "float32") asked.set(value, quantizer);
  };
  for (const input of graph.inputs) {
    if (needed.has(input)) ask(input, undefined, firstLastBits ?? Math.max(8, activationBits));
  }
  for (const node of graph.nodes) {
    if (keepsParameters(node)) continue;
    for (const output of node.outputs) {
      if (node.op === "opaque" && !needed.has(output)) continue;
      const usual = results.has(output) ? Math.max(8, activationBits) : activationBits;
      const bits = lastValues.has(output) ? (firstLastBits ?? usual) : usual;
      ask(output, node, fixedParameters(node, 8, true) === undefined ? bits : Math.max(8, bits));
    }
  }
  return asked;
}

/** The outputs, and values that ops without weights turn into them, one by one. */
function resultsOf({ nodes, outputs }: Graph): ReadonlySet<string> {
  const results = new Set(outputs);
  for (const node of [...nodes].reverse()) {
    const passes = keepsParameters(node) || fixedParameters(node, 8, true) !== undefined;
    if (passes && results.has(node.outputs[0])) results.add(node.inputs[0]);
  }
  return results;
}

/** Values that an op which computes integers reads, directly or through ops that keep parameters. */
function neededByIntegerOps({ nodes }: Graph): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const node of [...nodes].reverse()) {
    if (node.op === "opaque" || (keepsParameters(node) && !needed.has(node.outputs[0]))) continue;
    for (const input of node.inputs) needed.add(input);
  }
  return needed;
}

/**
 * With a config list: the edges that the settings name. 'output' is the edge that leaves a layer with all that was fused
 * into it, 'input' the edge that enters it; the later entry wins, and of one entry the output. Edges inside a layer, such as
 * before the softmax of a Dense, go with its output; both halves of a separable convolution have an input.
 *
 * A setting for what an op that keeps parameters gives moves to the op's input where nothing else reads that: quantizing
 * before a max-pool, pad or reshape is quantizing after it, and the integer op needs it there.
 */
export function configuredEdges(graph: Graph, defaults: PlacementDefaults, settingsOf: SettingsOf): AskedQuantizers {
  const chosen = new Map<string, Choice>();
  const consider = (value: string, settings: LayerSettings | undefined, target: "input" | "output"): void => {
    const asked = settings?.targets[target];
    if (settings === undefined || asked === undefined || graph.values[value].dtype !== "float32") return;
    const { index, quantStartStep } = settings;
    const known = chosen.get(value);
    if (known === undefined || known.index < index || (known.index === index && target === "output")) {
      chosen.set(value, { index, target: asked, quantStartStep });
    }
  };
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const inside = producers.get(input)?.layer.id === node.layer.id && !isWeighted(node);
      if (!inside) consider(input, settingsOf(node.layer), "input");
    }
    for (const layer of [node.layer, ...node.fused]) {
      for (const output of node.outputs) consider(output, settingsOf(layer), "output");
    }
  }
  moveBeforeKeepingOps(graph, chosen);
  const asked = new Map<string, OwnQuantizer | FixedQuantizer>();
  for (const [value, { target, quantStartStep }] of chosen) {
    const quantizer = quantizerFor(producers.get(value), target, defaults, quantStartStep);
    if (quantizer !== undefined) asked.set(value, quantizer);
  }
  return asked;
}

interface Choice {
  readonly index: number;
  readonly target: TargetSettings;
  readonly quantStartStep: number | undefined;
}

function moveBeforeKeepingOps(graph: Graph, chosen: Map<string, Choice>): void {
  const readers = readersOf(graph);
  for (const node of [...graph.nodes].reverse()) {
    const [input] = node.inputs;
    const [output] = node.outputs;
    const choice = chosen.get(output);
    if (choice === undefined || !keepsParameters(node) || chosen.has(input)) continue;
    if (soleReader(graph, readers, input) !== node || graph.values[input].dtype !== "float32") continue;
    chosen.delete(output);
    chosen.set(input, choice);
  }
}

/** The quantizer of what a node (undefined: an input of the graph) gives; undefined for 32 bits. */
function quantizerFor(
  node: GraphNode | undefined,
  { bits, signed = true, symmetric }: TargetSettings,
  defaults: PlacementDefaults,
  quantStartStep: number | undefined,
): OwnQuantizer | FixedQuantizer | undefined {
  if (bits === 32) return undefined;
  const fixed = fixedParameters(node, bits, signed);
  return {
    bits,
    signed,
    ...(fixed === undefined ? { symmetric: symmetric ?? defaults.symmetric } : { fixed }),
    ...(quantStartStep !== undefined && { quantStartStep }),
  } as OwnQuantizer | FixedQuantizer;
}

/**
 * Parameters that the file formats prescribe: softmax and sigmoid lie in [0, 1), tanh in [−1, 1).
 * Source: TensorFlow Lite 8-bit quantization specification (8 bits signed: 1/256 and −128; 1/128 and 0).
 */
export function fixedParameters(
  node: GraphNode | undefined,
  bits: number,
  signed: boolean,
): FixedQuantizer["fixed"] | undefined {
  if (node?.op === "softmax" || node?.op === "sigmoid") {
    return { scale: 2 ** -bits, zeroPoint: signed ? -(2 ** (bits - 1)) : 0 };
  }
  if (node?.op === "tanh") return { scale: 2 ** (1 - bits), zeroPoint: signed ? 0 : 2 ** (bits - 1) };
  return undefined;
}
