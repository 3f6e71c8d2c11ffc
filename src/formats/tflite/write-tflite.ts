import { type BorderType, withBorders } from "../../graph/quantized-borders.js";
import type { QuantizedGraph } from "../../graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../graph/validate-quantized.js";
import { encodeFile } from "./encode-file.js";
import type { FileOperator, FileTensor } from "./file-model.js";
import { TensorType } from "./schema.js";
import { int8Tensor, writeOperator } from "./write-operator.js";

/** Options of writeTflite. */
export interface WriteTfliteOptions {
  /** Type of inputs and outputs; default: the types they have in the graph. int32 outputs stay. */
  readonly io?: BorderType;
}

/**
 * Writes a quantized graph as a .tflite file, for this library's runtime and any other: TensorFlow Lite, LiteRT, TFLite Micro.
 *
 * The graph is checked first (validateQuantizedGraph). What readTflite makes of the file is the graph again, but for the
 * names of nodes, which a file does not hold, and a linear node whose qmin is its zero point: that is a fused RELU.
 *
 * @param options `io: 'float32'` puts QUANTIZE and DEQUANTIZE at the ends, `'int8'` takes them away; names stay
 * @returns a fresh array; the same graph gives the same bytes
 *
 * Errors: QuantError `invalid-model`, naming the node or tensor; `unsupported` where a border cannot become int8.
 * Source: tensorflow/lite/schema/schema.fbs and the 8-bit quantization specification; docs/formats.md.
 *
 * @example
 * const graph = readTflite(await readFile("model.tflite"));
 * await writeFile("float-ends.tflite", writeTflite(graph, { io: "float32" }));
 */
export function writeTflite(graph: QuantizedGraph, options: WriteTfliteOptions = {}): Uint8Array {
  const { io } = options;
  if (io !== undefined && io !== "int8" && io !== "float32") {
    throw new RangeError(`writeTflite: expected io to be "int8" or "float32", got ${String(io)}`);
  }
  validateQuantizedGraph(graph);
  const written = io === undefined ? graph : withBorders(graph, io);
  const tensors: FileTensor[] = [];
  const operators: FileOperator[] = [];
  const indices = new Map<string, number>();
  const add = (tensor: FileTensor): number => tensors.push(tensor) - 1;
  for (const [name, tensor] of Object.entries(written.tensors)) {
    const index = add(tensor.dtype === "int8" ? int8Tensor(name, tensor) : plainTensor(name, tensor));
    indices.set(name, index);
  }
  const indexOf = (name: string): number => indices.get(name) as number;
  for (const node of written.nodes) writeOperator(node, written, { indexOf, add, operators });
  return encodeFile({
    name: written.name,
    tensors,
    inputs: written.inputs.map(indexOf),
    outputs: written.outputs.map(indexOf),
    operators,
  });
}

function plainTensor(name: string, { dtype, shape }: QuantizedGraph["tensors"][string]): FileTensor {
  const type = dtype === "int32" ? TensorType.int32 : TensorType.float32;
  return { name, shape, type, scales: new Float32Array(), zeroPoints: [], axis: 0 };
}
