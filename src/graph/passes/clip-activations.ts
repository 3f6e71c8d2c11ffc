import { UNTOUCHED_BITS } from "../../core/unit-grid.js";
import { handsCodesThrough } from "../keeps-parameters.js";
import { isWeighted, readersOf, soleReader, withNodes } from "../readers.js";
import type { ActivationQuantizer, Graph, GraphNode } from "../types.js";
import type { ActivationRounding, DorefaSettingsOf } from "./dorefa-settings.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { fuseActivation } from "./fuse-activation.js";

/**
 * Clips and rounds what quantized layers read: a quantizer [0, bound], or of signs, on each such value.
 *
 *  - where the value is that of a relu or relu6, directly or through ops that only move values, the quantizer takes its place, for
 *    whoever reads it; it stands behind max pools that alone read it, where there are fewer values (eq. 8: rounding and the
 *    maximum commute)
 *  - any other value is clipped as it comes, for the layers that ask alone: what else reads it gets it as it was
 *  - `output` is the value that leaves a layer with the batch norm and activation that follow it
 *
 * Run it before batch norms are folded and activations fused. Source: Zhou et al. 2016, §2.3, eq. 6 and 8.
 */
export function clipActivations(graph: Graph, activation: ActivationRounding, settingsOf: DorefaSettingsOf): Graph {
  const places = placesOf(graph, askedValues(graph, settingsOf));
  const replaced = [...places.values()].flatMap(({ replaced: node }) => (node === undefined ? [] : [node]));
  let current = withoutActivations(graph, new Map(replaced.map((node) => [node.name, node])));
  const quantizers = new Map<string, ActivationQuantizer>();
  for (const [value, { bits, askers }] of places) {
    const quantizer: ActivationQuantizer =
      activation.sign && bits === 1
        ? { bits, signed: true, sign: true }
        : { bits, signed: false, bound: activation.bound };
    if (askers === undefined) {
      quantizers.set(behindMaxPools(current, value), quantizer);
      continue;
    }
    const branched = withBranch(current, value, askers);
    current = branched.graph;
    quantizers.set(branched.value, quantizer);
  }
  return { ...current, quantizers: Object.fromEntries(quantizers) };
}

type Readers = ReturnType<typeof readersOf>;

/** A wish of a layer for a value that it reads or gives. */
interface Ask {
  readonly value: string;
  readonly bits: number;
  readonly index: number;
  /** Name of the node that reads it; undefined: all readers get it rounded. */
  readonly asker: string | undefined;
}

function askedValues(graph: Graph, settingsOf: DorefaSettingsOf): Ask[] {
  const producers = producersOf(graph);
  const asks: Ask[] = [];
  for (const node of graph.nodes) {
    const settings = settingsOf(node.layer, isWeighted(node) ? node.weights : undefined);
    if (settings === undefined || settings.input === UNTOUCHED_BITS) continue;
    const { input: bits, index } = settings;
    for (const value of node.inputs) {
      const inside = producers.get(value)?.layer.id === node.layer.id && !isWeighted(node);
      if (inside || graph.values[value].dtype !== "float32") continue;
      asks.push({ value, bits, index, asker: node.name });
    }
  }
  return [...asks, ...askedOutputs(graph, settingsOf)];
}

function askedOutputs(graph: Graph, settingsOf: DorefaSettingsOf): Ask[] {
  const fused = fuseActivation(foldBatchNorm(graph));
  const readers = readersOf(fused);
  return fused.nodes.flatMap((node) =>
    [node.layer, ...node.fused].flatMap((layer): Ask[] => {
      const settings = settingsOf(layer);
      if (settings === undefined || settings.output === UNTOUCHED_BITS) return [];
      const { output: bits, index } = settings;
      const leaving = node.outputs.filter(
        (value) =>
          fused.outputs.includes(value) || !readers.get(value)?.every((reader) => reader.layer.id === layer.id),
      );
      return leaving
        .filter((value) => graph.values[value].dtype === "float32")
        .map((value) => ({ value, bits, index, asker: undefined }));
    }),
  );
}

/** How one value is clipped. */
interface Place {
  readonly bits: number;
  readonly index: number;
  /** The relu or relu6 that the clip replaces. */
  readonly replaced: GraphNode | undefined;
  /** Names of the nodes that read the clipped value; undefined: all that read the value. */
  readonly askers: ReadonlySet<string> | undefined;
}

/** By value. Of several wishes for one value that of the latest config entry counts; of one entry, the output. */
function placesOf(graph: Graph, asks: readonly Ask[]): ReadonlyMap<string, Place> {
  const producers = producersOf(graph);
  const readers = readersOf(graph);
  const places = new Map<string, Place>();
  for (const { value: wished, bits, index, asker } of asks) {
    const asked = behindActivation(graph, readers, wished);
    const source = sourceOf(asked, producers);
    const producer = producers.get(source);
    const replaced = producer !== undefined && isCutOff(producer) ? producer : undefined;
    const value = replaced === undefined ? beforeDropout(graph, asked, producers) : source;
    const before = places.get(value);
    const { bits: wanted, index: from } = before === undefined || index >= before.index ? { bits, index } : before;
    const alone = replaced === undefined && value === wished && asker !== undefined;
    const all = !alone || (before !== undefined && before.askers === undefined);
    const askers = all ? undefined : new Set([...(before?.askers ?? []), asker]);
    places.set(value, { bits: wanted, index: from, replaced, askers });
  }
  for (const [value, place] of places) {
    const everyone = readers.get(value)?.every(({ name }) => place.askers?.has(name)) && !graph.outputs.includes(value);
    if (everyone) places.set(value, { ...place, askers: undefined });
  }
  return places;
}

/** Before an activation that cuts off at 0 or after it: the same, and after it there is something to replace. */
function behindActivation(graph: Graph, readers: Readers, value: string): string {
  const reader = soleReader(graph, readers, value);
  return reader !== undefined && isCutOff(reader) ? behindActivation(graph, readers, reader.outputs[0]) : value;
}

/** Where a value comes from, behind the ops that only move values. */
function sourceOf(value: string, producers: ReadonlyMap<string, GraphNode>): string {
  const producer = producers.get(value);
  return producer !== undefined && handsCodesThrough(producer) ? sourceOf(producer.inputs[0], producers) : value;
}

/** Dropout makes what it leaves larger, in training: a clip belongs before it. */
function beforeDropout(graph: Graph, value: string, producers: ReadonlyMap<string, GraphNode>): string {
  const producer = producers.get(value);
  if (producer?.op !== "dropout") return value;
  const [input] = producer.inputs;
  return soleReader(graph, readersOf(graph), input) === producer ? beforeDropout(graph, input, producers) : value;
}

/** Without the given activations: what they read goes under the name of what they gave, or comes to it as it is. */
function withoutActivations(graph: Graph, activations: ReadonlyMap<string, GraphNode>): Graph {
  const readers = readersOf(graph);
  const producers = producersOf(graph);
  const renamed = new Map<string, string>();
  for (const node of activations.values()) {
    const [input] = node.inputs;
    if (producers.has(input) && soleReader(graph, readers, input) === node) renamed.set(input, node.outputs[0]);
  }
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    const outputs = node.outputs.map((output) => renamed.get(output) ?? output);
    if (!activations.has(node.name)) {
      const taken = node.outputs.flatMap((output) => {
        const reader = renamed.has(output) ? soleReader(graph, readers, output) : undefined;
        return reader === undefined || reader.layer.id === node.layer.id ? [] : [reader.layer];
      });
      return [{ ...node, outputs, fused: [...node.fused, ...taken] } as GraphNode];
    }
    if (renamed.has(node.inputs[0])) return [];
    const { name, layer, fused, inputs } = node;
    return [{ name, layer, fused, inputs, outputs, op: "identity" }];
  });
  return withNodes(graph, nodes);
}

function behindMaxPools(graph: Graph, value: string): string {
  const reader = soleReader(graph, readersOf(graph), value);
  return reader?.op === "maxPool2d" || reader?.op === "globalMaxPool2d"
    ? behindMaxPools(graph, reader.outputs[0])
    : value;
}

/** With a value of its own for those nodes that ask: a copy, to be clipped. */
function withBranch(graph: Graph, value: string, askers: ReadonlySet<string>): { graph: Graph; value: string } {
  let name = `${value}/clipped`;
  for (let i = 2; Object.hasOwn(graph.values, name) || graph.nodes.some((node) => node.name === name); i++) {
    name = `${value}/clipped.${i}`;
  }
  let copied = false;
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    if (!askers.has(node.name) || !node.inputs.includes(value)) return [node];
    const reading = { ...node, inputs: node.inputs.map((input) => (input === value ? name : input)) };
    if (copied) return [reading];
    copied = true;
    return [{ name, layer: node.layer, fused: [], inputs: [value], outputs: [name], op: "identity" }, reading];
  });
  return { graph: { ...graph, nodes, values: { ...graph.values, [name]: graph.values[value] } }, value: name };
}

function isCutOff({ op }: GraphNode): boolean {
  return op === "relu" || op === "relu6";
}

function producersOf({ nodes }: Graph): ReadonlyMap<string, GraphNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}
