import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode, QuantizedTensor } from "../graph/quantized-graph.js";
import type { InferExports } from "../wasm/exports.js";
import type { Kernels } from "../wasm/instance.js";
import { LAYER_BYTES, LAYER_WORDS } from "../wasm/layer-words.js";
import type { PlacedTensor, Plan, PlannedStep } from "./plan.js";

/** Arrays of tensors' elements, row-major. */
export type TensorArray = Int8Array | Float32Array | Int32Array;

/** An input or output of a session. */
export interface TensorDescription {
  readonly name: string;
  readonly dtype: QuantizedTensor["dtype"];
  readonly shape: Shape;
  /** Of int8 tensors: x = (code − zeroPoint) · scale. */
  readonly scale?: number;
  readonly zeroPoint?: number;
}

/** Bytes of a session's linear memory. */
export interface SessionMemory {
  /** Weights and biases as the model has them; they are not in linear memory. */
  readonly weightBytes: number;
  /** Weights in the kernels' order, with their channel blocks and the words that describe the layers. */
  readonly packedBytes: number;
  /** Activations, which share memory where they are not needed at the same time. */
  readonly tensorBytes: number;
  readonly scratchBytes: number;
  /** All of the session's linear memory: packed, tensors and scratch. */
  readonly totalBytes: number;
}

/** What one node took. */
export interface NodeProfile {
  readonly name: string;
  readonly op: string;
  /** The kernels that ran it: names of the wasm kernels, `reference` for a definition. */
  readonly kernels: readonly string[];
  /** Per run. */
  readonly milliseconds: number;
  /** Products per run; 0 for ops that do not multiply by weights. */
  readonly macs: number;
}

/** A network that is ready to run. */
export interface Session {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /**
   * Runs the network: arrays by tensor name in, arrays by tensor name out. A lone input may be passed by itself.
   *
   * Returns fresh arrays, or `outputs`, whose arrays are then written; with all of them given nothing is allocated.
   *
   * Errors: TypeError for a missing, unknown or wrongly typed array; RangeError for a wrong length; Error after dispose.
   */
  run(
    inputs: Readonly<Record<string, TensorArray>> | TensorArray,
    outputs?: Record<string, TensorArray>,
  ): Record<string, TensorArray>;
  memory(): SessionMemory;
  /** Time of each node, over the inputs of the last run: `rounds` times each, the mean. */
  profile(options?: { readonly rounds?: number }): NodeProfile[];
  /** Gives the session's memory back; a second call does nothing. */
  dispose(): void;
}

/** Runs a node by its definition: the elements of its inputs in, those of its output written. */
export type NodeRunner = (node: QuantizedNode, inputs: readonly TensorArray[], output: TensorArray) => void;

const ADDRESS_WORDS = (["x", "y", "weights", "blocks", "scratch", "taps"] as const).map((name) =>
  LAYER_WORDS.indexOf(name),
);
const CONSTRUCTORS = { int8: Int8Array, float32: Float32Array, int32: Int32Array };
const DEFAULT_ROUNDS = 20;

/** Loads a plan into the arena. Errors: QuantError `out-of-memory`. */
export function startSession(plan: Plan, { arena, exports }: Kernels<InferExports>, runNode: NodeRunner): Session {
  const { graph, steps } = plan;
  const base = arena.allocate(plan.bytes);
  const wordsPtr = base + plan.wordsAddress;
  let disposed = false;
  load();
  const calls = callsOf(steps);
  const copies = new Map<string, TensorArray>();
  const views = new Map<string, TensorArray>();
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
  function view(name: string): TensorArray {
    if (viewed !== arena.buffer) {
      views.clear();
      viewed = arena.buffer;
    }
    let array = views.get(name);
    if (array === undefined) {
      const { address, layout, dtype } = placed(name);
      const length = layout.images * layout.height * layout.width * layout.channels;
      array = new CONSTRUCTORS[dtype](arena.buffer as ArrayBuffer, base + address + layout.origin, length);
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

  function scatter(tensor: PlacedTensor, from: TensorArray): void {
    const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
    eachRow(tensor, (ptr, at, length) => arena.u8.set(bytes.subarray(at, at + length), ptr));
  }

  function gather(tensor: PlacedTensor, to: TensorArray): void {
    const bytes = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
    eachRow(tensor, (ptr, at, length) => bytes.set(arena.u8.subarray(ptr, ptr + length), at));
  }

  /** A place outside linear memory for the elements of a tensor. */
  function copyOf(name: string): TensorArray {
    let copy = copies.get(name);
    if (copy === undefined) {
      const { dtype, shape } = graph.tensors[name];
      copy = new CONSTRUCTORS[dtype](sizeOf(shape));
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
    runNode(node, operands, output);
    scatter(placed(node.output), output);
  }

  function runCall(call: Call): void {
    if (call.kind === "layers") exports.runLayers(wordsPtr + call.first * LAYER_BYTES, call.count);
    else runReference(call.node);
  }

  function checkLive(where: string): void {
    if (disposed) throw new Error(`${where}: expected a live session, got a disposed one`);
  }

  const inputs = graph.inputs.map((name) => describe(graph, name));
  const outputs = graph.outputs.map((name) => describe(graph, name));
  return {
    inputs,
    outputs,
    run(given, into) {
      checkLive("session.run");
      const named = byName(given, inputs);
      checkNames("inputs", named, inputs);
      for (let i = 0; i < inputs.length; i++) {
        const array = named[inputs[i].name];
        checkArray("input", inputs[i], array);
        view(plan.inputs[i]).set(array);
      }
      if (into !== undefined) {
        checkNames("outputs", into, outputs);
        for (const output of outputs) checkArray("output", output, into[output.name]);
      }
      for (const call of calls) runCall(call);
      const results = into ?? {};
      for (let i = 0; i < outputs.length; i++) {
        const { name } = outputs[i];
        const result = view(plan.outputs[i]);
        if (into === undefined) results[name] = result.slice();
        else results[name].set(result);
      }
      return results;
    },
    memory() {
      return {
        weightBytes: weightBytesOf(graph),
        packedBytes: plan.packedBytes,
        tensorBytes: plan.tensorBytes,
        scratchBytes: plan.scratchBytes,
        totalBytes: plan.bytes,
      };
    },
    profile({ rounds = DEFAULT_ROUNDS } = {}) {
      checkLive("session.profile");
      if (!Number.isInteger(rounds) || rounds < 1) {
        throw new RangeError(`session.profile: expected an integer rounds ≥ 1, got ${rounds}`);
      }
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
      if (!disposed) arena.free(base);
      disposed = true;
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

function describe(graph: QuantizedGraph, name: string): TensorDescription {
  const tensor = graph.tensors[name];
  const { dtype, shape } = tensor;
  if (dtype !== "int8") return { name, dtype, shape };
  const { scale, zeroPoint } = tensor as Int8Tensor;
  return { name, dtype, shape, scale, zeroPoint };
}

function byName(
  given: Readonly<Record<string, TensorArray>> | TensorArray,
  inputs: readonly TensorDescription[],
): Readonly<Record<string, TensorArray>> {
  if (!ArrayBuffer.isView(given)) return given as Readonly<Record<string, TensorArray>>;
  if (inputs.length !== 1) {
    throw new TypeError(
      `session.run: expected an object with ${namesOf(inputs)}, got one array; only a lone input may be passed by itself`,
    );
  }
  return { [inputs[0].name]: given };
}

function checkNames(what: string, given: unknown, expected: readonly TensorDescription[]): void {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`session.run: expected ${what} as an object with ${namesOf(expected)}, got ${String(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (!expected.some((tensor) => tensor.name === name)) {
      throw new TypeError(`session.run: expected ${what} ${namesOf(expected)}, got "${name}"`);
    }
  }
}

function namesOf(tensors: readonly TensorDescription[]): string {
  return tensors.map(({ name }) => `"${name}"`).join(", ");
}

function checkArray(what: string, { name, dtype, shape }: TensorDescription, array: unknown): void {
  const expected = CONSTRUCTORS[dtype];
  const length = sizeOf(shape);
  if (!(array instanceof expected)) {
    const got = array === undefined ? "none" : Object.prototype.toString.call(array).slice(8, -1);
    throw new TypeError(
      `session.run: expected ${what} "${name}" as ${expected.name} of ${length} elements ${formatShape(shape)}, got ${got}${hintFor(dtype, got)}`,
    );
  }
  if (array.length !== length) {
    throw new RangeError(
      `session.run: expected ${what} "${name}" of ${length} elements ${formatShape(shape)}, got ${array.length}`,
    );
  }
}

function hintFor(dtype: QuantizedTensor["dtype"], got: string): string {
  return dtype === "int8" && got === "Float32Array"
    ? "; quantize it with the scale and zeroPoint of session.inputs or session.outputs"
    : "";
}

function weightBytesOf({ nodes, tensors }: QuantizedGraph): number {
  let bytes = 0;
  for (const node of nodes) if ("weights" in node) bytes += node.weights.byteLength + (node.bias?.byteLength ?? 0);
  for (const tensor of Object.values(tensors)) if (tensor.dtype === "int8") bytes += tensor.data?.byteLength ?? 0;
  return bytes;
}
