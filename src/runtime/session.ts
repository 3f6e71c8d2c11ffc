import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { Int8Tensor, QuantizedGraph, QuantizedTensor } from "../graph/quantized-graph.js";
import type { TensorData } from "./reference-step.js";

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
    inputs: Readonly<Record<string, TensorData>> | TensorData,
    outputs?: Record<string, TensorData>,
  ): Record<string, TensorData>;
  memory(): SessionMemory;
  /** Time of each node, over the inputs of the last run: `rounds` times each, the mean. */
  profile(options?: { readonly rounds?: number }): NodeProfile[];
  /** Gives the session's memory back; a second call does nothing. */
  dispose(): void;
}

/** What runs a session's network, on tensors of its own. Inputs and outputs by their place in the graph's lists. */
export interface SessionEngine {
  /** Where input i is written. */
  input(i: number): TensorData;
  run(): void;
  /** Where output i can be read after a run, until the next. */
  output(i: number): TensorData;
  memory(): Omit<SessionMemory, "weightBytes">;
  profile(rounds: number): NodeProfile[];
  dispose(): void;
}

/** Array types by the type of their elements. */
export const TENSOR_ARRAYS = { int8: Int8Array, float32: Float32Array, int32: Int32Array } as const;

const DEFAULT_ROUNDS = 20;

/** The session over an engine: everything that its caller may get wrong is checked here. */
export function makeSession(graph: QuantizedGraph, engine: SessionEngine): Session {
  let disposed = false;
  const checkLive = (where: string): void => {
    if (disposed) throw new Error(`${where}: expected a live session, got a disposed one`);
  };
  const inputs = graph.inputs.map((name) => describe(graph, name));
  const outputs = graph.outputs.map((name) => describe(graph, name));
  return {
    inputs,
    outputs,
    run(given, into) {
      checkLive("session.run");
      const named = byName(given, inputs);
      checkNames("inputs", named, inputs);
      if (into !== undefined) {
        checkNames("outputs", into, outputs);
        for (const output of outputs) checkArray("output", output, into[output.name]);
      }
      for (const input of inputs) checkArray("input", input, named[input.name]);
      for (let i = 0; i < inputs.length; i++) engine.input(i).set(named[inputs[i].name]);
      engine.run();
      const results = into ?? Object.create(null);
      for (let i = 0; i < outputs.length; i++) {
        const { name } = outputs[i];
        if (into === undefined) results[name] = engine.output(i).slice();
        else results[name].set(engine.output(i));
      }
      return results;
    },
    memory() {
      return { weightBytes: weightBytesOf(graph), ...engine.memory() };
    },
    profile({ rounds = DEFAULT_ROUNDS } = {}) {
      checkLive("session.profile");
      if (!Number.isInteger(rounds) || rounds < 1) {
        throw new RangeError(`session.profile: expected an integer rounds ≥ 1, got ${rounds}`);
      }
      return engine.profile(rounds);
    },
    dispose() {
      if (!disposed) engine.dispose();
      disposed = true;
    },
  };
}

function describe(graph: QuantizedGraph, name: string): TensorDescription {
  const tensor = graph.tensors[name];
  const { dtype, shape } = tensor;
  if (dtype !== "int8") return { name, dtype, shape };
  const { scale, zeroPoint } = tensor as Int8Tensor;
  return { name, dtype, shape, scale, zeroPoint };
}

function byName(
  given: Readonly<Record<string, TensorData>> | TensorData,
  inputs: readonly TensorDescription[],
): Readonly<Record<string, TensorData>> {
  if (!ArrayBuffer.isView(given)) return given as Readonly<Record<string, TensorData>>;
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
  const expected = TENSOR_ARRAYS[dtype];
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
