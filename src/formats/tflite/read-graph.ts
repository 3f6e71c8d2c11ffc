import { expectThat, quoted } from "../../core/expect-that.js";
import type { Shape } from "../../core/shape.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../graph/quantized-graph.js";
import { sameShape } from "../../graph/same-shape.js";
import { smallestCode } from "../../graph/smallest-code.js";
import type { FileModel, FileTensor } from "./file-model.js";
import { expectFile } from "./flatbuffer.js";
import { type GraphUnderWay, readOperator } from "./read-operator.js";
import { TensorType } from "./schema.js";

const TYPE_NAMES = "float32,float16,int32,uint8,int64,string,bool,int16".split(",");

/**
 * The graph that a file's operators are. Sizes and numbers are not checked: validateQuantizedGraph does that.
 *
 * Nodes have the names of their outputs; names that are missing or stand twice get a number.
 *
 * @param mostWeightBytes bytes of weights that nodes may use in all, uses of the same weights counted each
 *
 * Errors: QuantError `invalid-file`, `unsupported`.
 */
export function readGraph(model: FileModel, mostWeightBytes: number): QuantizedGraph {
  const tensors = new Map<string, QuantizedTensor>();
  const names = new Map<number, string>();
  const clamps = new Map<string, number>();
  const counts = new Map<string, number>();
  const nodes: QuantizedNode[] = [];
  let left = mostWeightBytes;

  const fresh = (wanted: string): string => {
    const base = wanted === "" || wanted === "__proto__" ? "tensor" : wanted;
    let name = base;
    for (let n = counts.get(base) ?? 1; tensors.has(name); n++) {
      name = `${base}_${n}`;
      counts.set(base, n + 1);
    }
    return name;
  };
  const declare = (where: string, index: number, tensor: QuantizedTensor): string => {
    expectThat(!names.has(index), "invalid-file", where, "tensors that nothing else gives", `tensor ${index}`);
    const name = fresh(model.tensors[index].name);
    tensors.set(name, tensor);
    names.set(index, name);
    return name;
  };
  const graph: GraphUnderWay = {
    tensor(index) {
      const tensor = model.tensors[index];
      expectFile(tensor !== undefined, "a tensor", `index ${index}`);
      return tensor;
    },
    source(where, index) {
      const known = names.get(index);
      if (known !== undefined) return known;
      const tensor = graph.tensor(index);
      const { data } = tensor;
      expectThat(data !== undefined, "invalid-file", where, "inputs that come before it", `tensor ${index}`);
      const codes = new Int8Array(data.buffer, data.byteOffset, data.length);
      return declare(where, index, { ...int8Tensor(where, tensor), data: codes });
    },
    result(where, index) {
      const tensor = graph.tensor(index);
      expectThat(tensor.data === undefined, "invalid-file", where, "tensors without data", `constant ${index}`);
      return declare(where, index, plainTensor(where, tensor));
    },
    between(index, shape) {
      const name = fresh(`${model.tensors[index].name}/slice`);
      tensors.set(name, { ...plainTensor("", graph.tensor(index)), shape });
      return name;
    },
    unpacked: new Map(),
    countUse(bytes) {
      left -= bytes;
      expectFile(left >= 0, "weights that a few nodes use", "too many uses");
    },
    clamp(name, code) {
      clamps.set(name, code);
    },
  };

  const inputs = model.inputs.map((index) => graph.result("readTflite: inputs", index));
  for (const operator of model.operators) {
    for (const node of readOperator(operator, graph)) nodes.push(node);
  }
  const outputs = model.outputs.map((index) => graph.source("readTflite: outputs", index));
  const kept = foldClamps(nodes, outputs, tensors, clamps);
  return {
    name: model.name,
    inputs,
    outputs,
    tensors: Object.fromEntries(withSmallestCodes(kept, tensors, clamps)),
    nodes: kept,
  };
}

/** A tensor that nodes give or the graph reads, with its type and parameters. */
function plainTensor(where: string, tensor: FileTensor): QuantizedTensor {
  const { shape, type } = tensor;
  if (type === TensorType.float32) return { dtype: "float32", shape };
  if (type === TensorType.int32 || type === TensorType.int64) return { dtype: "int32", shape };
  return int8Tensor(where, tensor);
}

function int8Tensor(where: string, { name, shape, type, scales, zeroPoints }: FileTensor): Int8Tensor {
  const expect = (fits: boolean, expected: string, actual: unknown): void =>
    expectThat(fits, "unsupported", `${where}, ${quoted(name)}`, expected, actual);
  expect(type !== TensorType.uint8, "int8", "uint8, the older scheme; convert the float model again, with int8 types");
  expect(type === TensorType.int8, "int8", TYPE_NAMES[type] || `type ${type}`);
  expect(scales.length === 1 && zeroPoints.length < 2, "one scale and zero point", scales.length);
  return { dtype: "int8", shape, scale: scales[0], zeroPoint: zeroPoints[0] ?? 0 };
}

/**
 * Gives the clamp of each MAXIMUM to the node before it, where nothing else reads what that gives; elsewhere an int8
 * `quantize` that clamps stays.
 */
function foldClamps(
  nodes: readonly QuantizedNode[],
  outputs: readonly string[],
  tensors: Map<string, QuantizedTensor>,
  clamps: Map<string, number>,
): QuantizedNode[] {
  const uses = new Map<string, number>();
  for (const name of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) uses.set(name, (uses.get(name) ?? 0) + 1);
  const kept: QuantizedNode[] = [];
  const sources = new Map<string, number>();
  for (const node of nodes) {
    const { output } = node;
    const clamp = clamps.get(output);
    const [input] = node.inputs;
    const source = clamp === undefined || uses.get(input) !== 1 ? undefined : sources.get(input);
    if (clamp !== undefined && source !== undefined && sameShape(shapeOf(input), shapeOf(output))) {
      kept[source] = { ...kept[source], name: output, output };
      sources.set(output, source);
      tensors.delete(input);
      clamps.set(output, Math.max(clamp, clamps.get(input) ?? -128));
    } else {
      sources.set(output, kept.push(node) - 1);
    }
  }
  return kept;

  function shapeOf(name: string): Shape {
    return (tensors.get(name) as QuantizedTensor).shape;
  }
}

/** The tensors, with the smallest code that each one's producer writes. */
function withSmallestCodes(
  nodes: readonly QuantizedNode[],
  tensors: ReadonlyMap<string, QuantizedTensor>,
  clamps: ReadonlyMap<string, number>,
): Map<string, QuantizedTensor> {
  const all = new Map(tensors);
  for (const node of nodes) {
    const output = all.get(node.output);
    if (output?.dtype !== "int8") continue;
    const inputs = node.inputs.map((name) => all.get(name)).filter((tensor) => tensor?.dtype === "int8");
    const qmin = Math.max(smallestCode(node, inputs, output), clamps.get(node.output) ?? -128);
    if (qmin > -128) all.set(node.output, { ...output, qmin });
  }
  return all;
}
