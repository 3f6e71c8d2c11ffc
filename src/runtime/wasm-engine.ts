import type { RoundingRule } from "../core/rounding-rule.js";
import { sizeOf } from "../core/shape.js";
import type { QuantizedNode } from "../graph/quantized-graph.js";
import type { InferExports } from "../wasm/exports.js";
import type { Kernels } from "../wasm/instance.js";
import { LAYER_BYTES, LAYER_WORDS } from "../wasm/layer-words.js";
import type { PlacedTensor, Plan, PlannedStep } from "./plan.js";
import { type ReferenceStep, referenceStep, type TensorData } from "./reference-step.js";
import { type SessionEngine, TENSOR_ARRAYS } from "./session.js";

const ADDRESS_WORDS = (["x", "x2", "y", "weights", "blocks", "scratch", "taps"] as const).map((name) =>
  LAYER_WORDS.indexOf(name),
);

/** Loads a plan into the arena. Errors: QuantError `out-of-memory`. */
export function wasmEngine(
  plan: Plan,
  { arena, exports }: Kernels<InferExports>,
  rounding: RoundingRule,
): SessionEngine {
  const { graph, steps } = plan;
  // Before anything is allocated: scales that do not fit each other throw.
  const references = new Map<QuantizedNode, ReferenceStep>();
  for (const step of steps) {
    if (step.kind === "reference") references.set(step.node, referenceStep(graph, step.node, rounding));
  }
  const base = arena.allocate(plan.bytes);
  const wordsPtr = base + plan.wordsAddress;
  load();
  const calls = callsOf(steps);
  const copies = new Map<string, TensorData>();
  const views = new Map<string, TensorData>();
  let viewed = arena.buffer;

  /** Writes what stays the same in all runs. */
  function load(): void {
    const { u8, i32 } = arena;
    u8.fill(0, base, base + plan.bytes);
    for (const { address, data } of plan.constants) {
      u8.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), base + address);
    }
    for (const name of plan.filledOnce) {
      const { address, bytes, zeroPoint } = placed(name);
      u8.fill(zeroPoint, base + address, base + address + bytes);
    }
    const layers = steps.filter((step) => step.kind === "layer");
    for (const [i, { words }] of layers.entries()) {
      const at = (wordsPtr + i * LAYER_BYTES) >>> 2;
      i32.set(words, at);
      for (const word of ADDRESS_WORDS) i32[at + word] += base;
    }
    for (const [name, tensor] of Object.entries(graph.tensors)) {
      if (tensor.dtype === "int8" && tensor.data !== undefined && plan.tensors.has(name))
        scatter(placed(name), tensor.data);
    }
  }

  function placed(name: string): PlacedTensor {
    return plan.tensors.get(name) as PlacedTensor;
  }

  /** The elements of a dense tensor where they lie. */
  function view(name: string): TensorData {
    if (viewed !== arena.buffer) {
      views.clear();
      viewed = arena.buffer;
    }
    let array = views.get(name);
    if (array === undefined) {
      const { address, layout, dtype } = placed(name);
      const length = layout.images * layout.height * layout.width * layout.channels;
      array = new TENSOR_ARRAYS[dtype](arena.buffer as ArrayBuffer, base + address + layout.origin, length);
      views.set(name, array);
    }
    return array;
  }

  function eachRow({ layout, address }: PlacedTensor, visit: (ptr: number, at: number, bytes: number) => void): void {
    const bytes = layout.width * layout.pixelBytes;
    for (let image = 0, at = 0; image < layout.images; image++) {
      for (let row = 0; row < layout.height; row++, at += bytes) {
        visit(base + address + layout.origin + image * layout.imageBytes + row * layout.rowBytes, at, bytes);
      }
    }
  }

  function scatter(tensor: PlacedTensor, from: TensorData): void {
    const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    eachRow(tensor, (ptr, at, length) => arena.u8.set(bytes.subarray(at, at + length), ptr));
  }

  function gather(tensor: PlacedTensor, to: TensorData): void {
    const bytes = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
    eachRow(tensor, (ptr, at, length) => bytes.set(arena.u8.subarray(ptr, ptr + length), at));
  }

  /** A place outside linear memory for the elements of a tensor. */
  function copyOf(name: string): TensorData {
    let copy = copies.get(name);
    if (copy === undefined) {
      const { dtype, shape } = graph.tensors[name];
      copy = new TENSOR_ARRAYS[dtype](sizeOf(shape));
      copies.set(name, copy);
    }
    return copy;
  }

  function runReference(node: QuantizedNode): void {
    const operands = node.inputs.map((name) => {
      const copy = copyOf(name);
      gather(placed(name), copy);
      return copy;
    });
    const output = copyOf(node.output);
    references.get(node)?.(operands, output);
    scatter(placed(node.output), output);
  }

  function runCall(call: Call): void {
    if (call.kind === "layers") exports.runLayers(wordsPtr + call.first * LAYER_BYTES, call.count);
    else runReference(call.node);
  }

  return {
    input: (i) => view(plan.inputs[i]),
    output: (i) => view(plan.outputs[i]),
    run() {
      for (const call of calls) runCall(call);
    },
    memory() {
      return {
        packedBytes: plan.packedBytes,
        tensorBytes: plan.tensorBytes,
        scratchBytes: plan.scratchBytes,
        totalBytes: plan.bytes,
      };
    },
    profile(rounds) {
      let layer = 0;
      const timed = steps.map((step) => {
        const call: Call =
          step.kind === "layer" ? { kind: "layers", first: layer++, count: 1 } : { kind: "reference", node: step.node };
        runCall(call);
        const start = performance.now();
        for (let round = 0; round < rounds; round++) runCall(call);
        return { step, milliseconds: (performance.now() - start) / rounds };
      });
      return graph.nodes.map((node, index) => {
        const own = timed.filter(({ step }) => step.index === index);
        return {
          name: node.name,
          op: node.op,
          kernels: own.map(({ step }) => (step.kind === "layer" ? step.step.kernel : "reference")),
          milliseconds: own.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
          macs: own.reduce((sum, { step }) => sum + (step.kind === "layer" ? step.step.macs : 0), 0),
        };
      });
    },
    dispose() {
      arena.free(base);
      views.clear();
      copies.clear();
    },
  };
}

/** Steps as calls from here: kernels that follow each other are one. */
type Call =
  | { readonly kind: "layers"; readonly first: number; readonly count: number }
  | { readonly kind: "reference"; readonly node: QuantizedNode };

function callsOf(steps: readonly PlannedStep[]): Call[] {
  const calls: Call[] = [];
  let layer = 0;
  for (const step of steps) {
    const last = calls.at(-1);
    if (step.kind === "reference") calls.push({ kind: "reference", node: step.node });
    else if (last?.kind === "layers") calls[calls.length - 1] = { ...last, count: last.count + 1 };
    else calls.push({ kind: "layers", first: layer, count: 1 });
    if (step.kind === "layer") layer++;
  }
  return calls;
}
