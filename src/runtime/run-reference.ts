import type { RoundingRule } from "../core/rounding-rule.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { QuantizedGraph, QuantizedTensor } from "../graph/quantized-graph.js";
import { referenceStep, type TensorData } from "./reference-step.js";

export interface RunReferenceOptions {
  readonly rounding: RoundingRule;
  /** Return every tensor, the constants aside, instead of the outputs alone. Default false. */
  readonly keepAll?: boolean;
}

/**
 * Runs a network in integers by the definitions in src/reference: the oracle of every faster way to run one.
 *
 * Inputs and results by tensor name; results are fresh arrays.
 * Errors: TypeError and RangeError naming the input that is missing, or of another type or size than its tensor.
 */
export function runReference(
  graph: QuantizedGraph,
  inputs: Readonly<Record<string, TensorData>>,
  { rounding, keepAll = false }: RunReferenceOptions,
): Record<string, TensorData> {
  const data: Record<string, TensorData> = Object.create(null);
  for (const name of graph.inputs) data[name] = checkedInput(name, graph.tensors[name], inputs[name]);
  const read = (name: string): TensorData => {
    const tensor = graph.tensors[name];
    return data[name] ?? (tensor.dtype === "int8" ? tensor.data : undefined);
  };
  for (const node of graph.nodes) {
    const out = arrayFor(graph.tensors[node.output]);
    referenceStep(graph, node, rounding)(node.inputs.map(read), out);
    data[node.output] = out;
  }
  return keepAll ? { ...data } : Object.fromEntries(graph.outputs.map((name) => [name, read(name).slice()]));
}

const ARRAYS = { int8: Int8Array, float32: Float32Array, int32: Int32Array } as const;

function arrayFor({ dtype, shape }: QuantizedTensor): TensorData {
  return new ARRAYS[dtype](sizeOf(shape));
}

function checkedInput(name: string, tensor: QuantizedTensor, given: TensorData | undefined): TensorData {
  const expected = ARRAYS[tensor.dtype];
  if (!(given instanceof expected)) {
    const actual = given === undefined ? "nothing" : Object.prototype.toString.call(given).slice(8, -1);
    throw new TypeError(`runReference input "${name}": expected ${expected.name}, got ${actual}`);
  }
  if (given.length !== sizeOf(tensor.shape)) {
    throw new RangeError(
      `runReference input "${name}": expected ${sizeOf(tensor.shape)} elements for shape ${formatShape(tensor.shape)}, got ${given.length}`,
    );
  }
  return given;
}
