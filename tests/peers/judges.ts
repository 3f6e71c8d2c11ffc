import type { RoundingRule } from "../../src/core/rounding-rule.js";
import { writeTflite } from "../../src/formats/tflite/write-tflite.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { liteRtRunner } from "./litert-runner.js";
import { tfliteRunner } from "./tflite-runner.js";

/** Somebody else's runtime, and the rounding rule that is its. */
export interface Judge {
  readonly name: "tflite" | "xnnpack" | "litert";
  readonly rounding: RoundingRule;
}

export const JUDGES: readonly Judge[] = [
  { name: "tflite", rounding: "tflite" }, // TensorFlow Lite's builtin kernels, in tfjs-tflite
  { name: "xnnpack", rounding: "float32" }, // XNNPACK of 2022, in tfjs-tflite
  { name: "litert", rounding: "float32" }, // XNNPACK of 2026, in LiteRT.js
];

/** Codes, and the int32 of argMax, by tensor name. */
export type Codes = Readonly<Record<string, Int8Array | Int32Array>>;

/** Runs a network: codes of its inputs in, codes of everything that its nodes compute out. */
export type Run = (inputs: Readonly<Record<string, Int8Array>>) => Promise<Codes>;

/**
 * A network of int8 inputs, run by a judge from the file that writeTflite makes of it.
 *
 * LiteRT.js takes and gives no int8, so that QUANTIZE and DEQUANTIZE stand around everything: codes pass both unchanged.
 */
export async function judgedRun(graph: QuantizedGraph, judge: Judge): Promise<Run> {
  const observed = observedGraph(withWideWeights(graph, judge));
  const file = writeTflite(observed);
  const run = await runByName(observed, file, judge);
  return async (inputs) => {
    const real = graph.inputs.map((name): [string, Float32Array] => {
      const { scale, zeroPoint } = graph.tensors[name] as Int8Tensor;
      return [floatName(name), Float32Array.from(inputs[name], (q) => (q - zeroPoint) * scale)];
    });
    const seen = await run(Object.fromEntries(real));
    return Object.fromEntries(
      graph.nodes.map(({ output }) => {
        const tensor = graph.tensors[output];
        if (tensor.dtype !== "int8") return [output, seen[output] as Int32Array];
        const { scale, zeroPoint } = tensor;
        return [output, Int8Array.from(seen[floatName(output)], (x) => Math.round(x / scale) + zeroPoint)];
      }),
    );
  };
}

type Values = Int8Array | Int32Array | Float32Array;
type RunByName = (inputs: Readonly<Record<string, Values>>) => Promise<Readonly<Record<string, Values>>>;

async function runByName({ inputs, outputs }: QuantizedGraph, file: Uint8Array, judge: Judge): Promise<RunByName> {
  if (judge.name === "litert") {
    const run = await liteRtRunner(file);
    return async (values) => {
      const results = await run(inputs.map((name) => values[name]));
      return Object.fromEntries(outputs.map((name, i) => [name, results[i]]));
    };
  }
  const run = await tfliteRunner(file, judge.name === "tflite" ? "builtin" : "xnnpack");
  return async (values) => run(values);
}

/**
 * The same codes in 8 bits where a judge has no kernels for weights of 4: tfjs-tflite is older than they are, and LiteRT.js runs
 * depthwise convolutions of 4 bits in the builtin kernels, with their rule.
 */
function withWideWeights(graph: QuantizedGraph, judge: Judge): QuantizedGraph {
  const isWidened = (node: QuantizedNode): boolean =>
    "weightBits" in node && (judge.name !== "litert" || node.op === "depthwiseConv2d");
  return {
    ...graph,
    nodes: graph.nodes.map((node) => (isWidened(node) ? { ...node, weightBits: 8 } : node)) as QuantizedNode[],
  };
}

const floatName = (name: string): string => `float32/${name}`;

/** The network with float32 inputs, whose outputs are all that its nodes compute, as float32. */
function observedGraph(graph: QuantizedGraph): QuantizedGraph {
  const tensors: Record<string, QuantizedTensor> = { ...graph.tensors };
  const border = (op: "quantize" | "dequantize", name: string): QuantizedNode => {
    tensors[floatName(name)] = { dtype: "float32", shape: graph.tensors[name].shape };
    const [input, output] = op === "quantize" ? [floatName(name), name] : [name, floatName(name)];
    return { name: floatName(name), op, inputs: [input], output };
  };
  const computed = graph.nodes.map(({ output }) => output);
  const isInt8 = (name: string): boolean => graph.tensors[name].dtype === "int8";
  return {
    name: graph.name,
    nodes: [
      ...graph.inputs.map((name) => border("quantize", name)),
      ...graph.nodes,
      ...computed.filter(isInt8).map((name) => border("dequantize", name)),
    ],
    inputs: graph.inputs.map(floatName),
    outputs: computed.map((name) => (isInt8(name) ? floatName(name) : name)),
    tensors,
  };
}
