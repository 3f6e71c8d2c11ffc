import { QuantError } from "../core/errors.js";
import type { RoundingRule } from "../core/rounding-rule.js";
import { formatShape } from "../core/shape.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../graph/quantized-graph.js";
import { LAYER_BYTES, LAYER_KERNELS, LAYER_WORDS } from "../wasm/layer-words.js";
import { copySteps, fillSteps } from "./border-steps.js";
import { type LayerStep, stepExtent } from "./layer-step.js";
import { type LinearPlan, planLinear } from "./linear-step.js";
import type { Operand } from "./op-plan.js";
import { type Lifetime, placeTensors } from "./place-tensors.js";
import { planOp } from "./plan-op.js";
import { type Border, isDense, NO_BORDER, type TensorLayout, tensorLayout, widerBorder } from "./tensor-layout.js";

// Theory of operation
//
// A session owns one block of memory, which a plan divides:
//
//   | tensors, sharing memory by lifetime | scratch of the kernels, shared | packed weights, channel blocks, taps | words |
//
// * Addresses in a plan count from the block's first byte. Loading adds the block's own address: a plan is plain data, and does not
//   know where it will lie.
// * A tensor has the largest border that any of its readers wants. Where its memory is shared, its border is filled anew before
//   its producer runs; else once, when the session is made.
// * Kernels read over the end of what they need. A tensor's memory is as long as the farthest reach of its readers; what lies there is
//   multiplied by zeros or dropped.
// * Nodes without a kernel are run by their definitions on copies (reference steps: kernelless-step.ts).

export interface PlanOptions {
  readonly rounding: RoundingRule;
  readonly preferMemory: boolean;
}

/** A tensor with its place. */
export interface PlacedTensor extends Lifetime {
  readonly layout: TensorLayout;
  readonly dtype: QuantizedTensor["dtype"];
  /** Address of its memory, which is `bytes` long; the first element lies layout.origin behind it. */
  readonly address: number;
  /** What its border holds. */
  readonly zeroPoint: number;
}

/** A kernel's call: its words, addresses counted from the session's block; or a node that its definition runs. */
export type PlannedStep =
  | { readonly kind: "layer"; readonly index: number; readonly step: LayerStep; readonly words: Int32Array }
  | { readonly kind: "reference"; readonly index: number; readonly node: QuantizedNode };

/** Bytes that are copied into the session's block once. */
interface PlacedConstant {
  readonly address: number;
  readonly data: Int8Array | Int16Array | Int32Array | Uint32Array;
}

export interface Plan {
  readonly graph: QuantizedGraph;
  readonly steps: readonly PlannedStep[];
  /** By name; reshaped tensors have the place of what they reshape. */
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  /** Names of the tensors that inputs are written to and outputs read from, in the graph's order: dense. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Tensors whose border is filled once. */
  readonly filledOnce: readonly string[];
  readonly constants: readonly PlacedConstant[];
  /** Where the words of the layers lie, one layer behind the other. */
  readonly wordsAddress: number;
  readonly tensorBytes: number;
  readonly scratchBytes: number;
  readonly packedBytes: number;
  /** All of the block. */
  readonly bytes: number;
}

const ALIGNMENT = 16;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** What is known of a tensor while steps are made. */
interface Draft {
  readonly tensor: QuantizedTensor;
  readonly layout: TensorLayout;
  bytes: number;
  first: number;
  last: number;
}

type DraftStep =
  | { readonly kind: "layer"; readonly index: number; readonly step: LayerStep; readonly fills?: string }
  | { readonly kind: "reference"; readonly index: number; readonly node: QuantizedNode };

/** Plans the memory and the kernels of a graph. Errors: RangeError where scales do not fit each other. */
export function planSession(graph: QuantizedGraph, options: PlanOptions): Plan {
  const linear = new Map(
    graph.nodes.flatMap((node) => {
      const plan = linearPlanOf(graph, node, options);
      return plan === undefined ? [] : [[node, plan] as const];
    }),
  );
  const drafts = new Map<string, Draft>();
  const aliases = new Map<string, string>();
  const steps: DraftStep[] = [];
  const borders = bordersOf(graph, linear);
  const end = graph.nodes.length;

  const define = (name: string, tensor: QuantizedTensor, border: Border, index: number): Draft => {
    const layout = tensorLayout(tensor, border);
    const draft = { tensor, layout, bytes: layout.bytes, first: index, last: index };
    drafts.set(name, draft);
    return draft;
  };
  /** The tensor that holds the elements of `name`, read at step `index`. */
  const use = (name: string, index: number): { readonly name: string; readonly draft: Draft } => {
    const target = aliases.get(name) ?? name;
    const draft = drafts.get(target);
    if (draft === undefined)
      throw new QuantError("invalid-model", `createSession: expected tensor "${name}" to be made before it is read`);
    draft.last = Math.max(draft.last, index);
    return { name: target, draft };
  };
  const push = (index: number, step: LayerStep, fills?: string): void => {
    steps.push(fills === undefined ? { kind: "layer", index, step } : { kind: "layer", index, step, fills });
    const { reads, reads2, writes } = stepExtent(step);
    for (const [byte, bytes] of [
      [step.x, reads],
      [step.x2, reads2],
      [step.y, writes],
    ] as const) {
      if (byte === undefined) continue;
      const { draft } = use(byte.tensor, index);
      draft.bytes = Math.max(draft.bytes, byte.offset + bytes);
    }
  };
  const defineOutput = (name: string, index: number): Draft => {
    const tensor = graph.tensors[name];
    const draft = define(name, tensor, borders.get(name) ?? NO_BORDER, index);
    for (const step of fillSteps(name, draft.layout, zeroPointOf(tensor))) push(index, step, name);
    return draft;
  };
  const copy = (from: string, to: string, index: number): void => {
    const [source, target] = [use(from, index), use(to, index)];
    for (const step of copySteps(source.name, source.draft.layout, target.name, target.draft.layout)) push(index, step);
  };
  /** A dense copy of a tensor for the time of one step, or the tensor itself where it is dense. */
  const denseOf = (name: string, index: number): string => {
    const { name: target, draft } = use(name, index);
    if (isDense(draft.layout)) return target;
    const dense = freshName(`${name} without border`, drafts);
    define(dense, draft.tensor, NO_BORDER, index);
    copy(target, dense, index);
    return dense;
  };

  for (const [name, tensor] of Object.entries(graph.tensors)) {
    if (tensor.dtype === "int8" && tensor.data !== undefined) {
      define(name, tensor, borders.get(name) ?? NO_BORDER, -1).last = end;
    }
  }
  const inputs = graph.inputs.map((name) => {
    const border = borders.get(name) ?? NO_BORDER;
    if (border === NO_BORDER) {
      define(name, graph.tensors[name], NO_BORDER, -1);
      return name;
    }
    const staging = freshName(`${name} as it comes in`, drafts);
    define(staging, graph.tensors[name], NO_BORDER, -1);
    return staging;
  });
  for (const [i, name] of graph.inputs.entries()) {
    if (inputs[i] === name) continue;
    defineOutput(name, -1);
    copy(inputs[i], name, -1);
  }
  for (const [index, node] of graph.nodes.entries()) {
    const plan = linear.get(node);
    const op = planOp(graph, node, options.rounding);
    if (plan !== undefined) {
      const source = plan.dense ? denseOf(node.inputs[0], index) : use(node.inputs[0], index).name;
      const output = defineOutput(node.output, index);
      // A reshaped tensor lies where what it reshapes lies, in its own shape.
      const reshaped = plan.dense || aliases.has(node.inputs[0]);
      const input = reshaped ? tensorLayout(graph.tensors[node.inputs[0]]) : use(source, index).draft.layout;
      const step = plan.step(input, output.layout);
      push(index, { ...step, x: { tensor: source, offset: step.x.offset } });
    } else if (op !== undefined) {
      const inputs = node.inputs.map((name): Operand => {
        const dense = op.dense || aliases.has(name);
        const source = op.dense ? denseOf(name, index) : use(name, index).name;
        const { shape } = graph.tensors[name];
        return {
          name: source,
          shape,
          layout: dense ? tensorLayout(graph.tensors[name]) : use(name, index).draft.layout,
        };
      });
      const { layout } = defineOutput(node.output, index);
      const output = { name: node.output, shape: graph.tensors[node.output].shape, layout };
      for (const step of op.steps(inputs, output)) push(index, step);
    } else if (node.op === "reshape") {
      const source = denseOf(node.inputs[0], index);
      if (borders.has(node.output)) {
        const output = defineOutput(node.output, index);
        const layout = tensorLayout(graph.tensors[node.output]);
        for (const step of copySteps(source, layout, node.output, output.layout)) push(index, step);
      } else {
        aliases.set(node.output, source);
      }
    } else {
      for (const name of node.inputs) use(name, index);
      defineOutput(node.output, index);
      steps.push({ kind: "reference", index, node });
    }
  }
  const outputs = graph.outputs.map((name) => {
    const dense = denseOf(name, end);
    use(dense, end);
    return dense;
  });
  return finish(graph, drafts, aliases, steps, inputs, outputs);
}

function linearPlanOf(graph: QuantizedGraph, node: QuantizedNode, options: PlanOptions): LinearPlan | undefined {
  if (node.op !== "conv2d" && node.op !== "depthwiseConv2d" && node.op !== "fullyConnected") return undefined;
  const [input, output] = [graph.tensors[node.inputs[0]], graph.tensors[node.output]];
  if (input.dtype !== "int8" || output.dtype !== "int8") {
    throw new QuantError(
      "invalid-model",
      `createSession: ${node.op} "${node.name}": expected int8 tensors ${formatShape(input.shape)} and ${formatShape(output.shape)}, got ${input.dtype} and ${output.dtype}`,
    );
  }
  return planLinear(node, input, output, options);
}

/** The largest border that any reader of a tensor wants; no entry: none wants any. */
function bordersOf(graph: QuantizedGraph, linear: ReadonlyMap<QuantizedNode, LinearPlan>): Map<string, Border> {
  const borders = new Map<string, Border>();
  for (const node of graph.nodes) {
    const wanted = linear.get(node)?.border;
    if (wanted === undefined || Object.values(wanted).every((size) => size === 0)) continue;
    borders.set(node.inputs[0], widerBorder(borders.get(node.inputs[0]) ?? NO_BORDER, wanted));
  }
  return borders;
}

function zeroPointOf(tensor: QuantizedTensor): number {
  return tensor.dtype === "int8" ? tensor.zeroPoint : 0;
}

function freshName(name: string, taken: ReadonlyMap<string, unknown>): string {
  let fresh = name;
  for (let i = 2; taken.has(fresh); i++) fresh = `${name} (${i})`;
  return fresh;
}

/** Gives everything its place. */
function finish(
  graph: QuantizedGraph,
  drafts: ReadonlyMap<string, Draft>,
  aliases: ReadonlyMap<string, string>,
  draftSteps: readonly DraftStep[],
  inputs: readonly string[],
  outputs: readonly string[],
): Plan {
  const lifetimes = Array.from(drafts, ([name, { bytes, first, last }]): Lifetime => ({ name, bytes, first, last }));
  const placement = placeTensors(lifetimes);
  const tensors = new Map<string, PlacedTensor>();
  for (const lifetime of lifetimes) {
    const { tensor, layout } = drafts.get(lifetime.name) as Draft;
    const address = placement.offsets.get(lifetime.name) as number;
    tensors.set(lifetime.name, { ...lifetime, layout, dtype: tensor.dtype, address, zeroPoint: zeroPointOf(tensor) });
  }
  const apart = (a: PlacedTensor, b: PlacedTensor): boolean =>
    a.address + a.bytes <= b.address || b.address + b.bytes <= a.address;
  const placed = [...tensors.values()];
  const filledOnce = placed
    .filter((tensor) => !isDense(tensor.layout) && placed.every((other) => other === tensor || apart(tensor, other)))
    .map(({ name }) => name);

  const kept = draftSteps.filter(
    (step) => step.kind !== "layer" || step.fills === undefined || !filledOnce.includes(step.fills),
  );
  const scratchAddress = placement.bytes;
  const scratchBytes = align(Math.max(0, ...kept.map((step) => (step.kind === "layer" ? step.step.scratchBytes : 0))));
  const constantsAddress = scratchAddress + scratchBytes;
  let free = constantsAddress;
  const constants: PlacedConstant[] = [];
  const placedAt = new Map<PlacedConstant["data"], number>();
  const place = (data: PlacedConstant["data"] | undefined): number => {
    if (data === undefined) return 0;
    const known = placedAt.get(data);
    if (known !== undefined) return known;
    const address = free;
    placedAt.set(data, address);
    constants.push({ address, data });
    free = align(free + data.byteLength);
    return address;
  };
  const steps = kept.map((draft): PlannedStep => {
    if (draft.kind === "reference") return draft;
    const { step, index } = draft;
    const words = new Int32Array(LAYER_BYTES / 4);
    const at = ({ tensor, offset }: LayerStep["x"]): number => (tensors.get(tensor) as PlacedTensor).address + offset;
    const addresses: Record<string, number> = {
      kernel: LAYER_KERNELS.indexOf(step.kernel),
      x: at(step.x),
      x2: step.x2 === undefined ? 0 : at(step.x2),
      y: at(step.y),
      weights: place(step.weights),
      blocks: place(step.blocks),
      taps: place(step.taps),
      scratch: scratchAddress,
    };
    for (const [i, name] of LAYER_WORDS.entries()) {
      words[i] = addresses[name] ?? step.numbers[name as keyof typeof step.numbers] ?? 0;
    }
    return { kind: "layer", index, step, words };
  });
  const packedBytes = free - constantsAddress;
  const wordsAddress = free;
  const layers = steps.filter(({ kind }) => kind === "layer").length;
  for (const [name, target] of aliases) tensors.set(name, tensors.get(target) as PlacedTensor);
  for (const [name, tensor] of Object.entries(graph.tensors)) {
    const placedTensor = tensors.get(name);
    // Reshaped tensors lie where what they reshape lies, in their own shape.
    if (placedTensor !== undefined && aliases.has(name))
      tensors.set(name, { ...placedTensor, layout: tensorLayout(tensor) });
  }
  return {
    graph,
    steps,
    tensors,
    inputs,
    outputs,
    filledOnce,
    constants,
    wordsAddress,
    tensorBytes: placement.bytes,
    scratchBytes,
    packedBytes: packedBytes + layers * LAYER_BYTES,
    bytes: wordsAddress + layers * LAYER_BYTES,
  };
}
