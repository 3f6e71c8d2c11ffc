import type { QuantParams } from "../../core/quant-params.js";
import { SIGN_GRID } from "../../core/unit-grid.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../quantized-graph.js";
import { smallestCode } from "../smallest-code.js";
import type { Graph, ValueShape } from "../types.js";
import { validateQuantizedGraph } from "../validate-quantized.js";
import { type CodeGrid, codeGrid, sameCodes } from "./code-grid.js";
import type { CodeDifference } from "./dorefa-layer.js";
import { addCodes, addNode, addReshape, codesOf, type Emission, startEmission } from "./emission.js";
import { addIntegerNodes, type DorefaLowering } from "./integer-nodes.js";
import type { WeightData } from "./integer-weights.js";
import { checkObstacles, layerLabel } from "./obstacles.js";
import { isDorefa, prepareDorefa } from "./prepare-dorefa.js";
import { valueGrids } from "./value-grids.js";

/** What training or calibration found. */
export interface LowerData {
  /** Values of the weights by name, in the graph's shapes. */
  readonly weights: WeightData;
  /** Parameters, per tensor, of every value with a range of its own, by name. */
  readonly params: ReadonlyMap<string, QuantParams>;
}

export interface LowerOptions {
  /** What comes in and goes out: float32, quantized and dequantized at the borders, or codes. Default float32. */
  readonly io?: "float32" | "int8";
  /**
   * What becomes of the layers that DoReFaQuantizer left in float, the first and the last as a rule: 8 bits, on the ranges that training
   * observed, or an error that names them. Default int8.
   */
  readonly firstLast?: "int8" | "float";
  /**
   * Called for each channel of a layer that does not give training's code for every input that can come: one whose weights and
   * output DoReFaQuantizer rounds in training.
   */
  readonly onDifference?: (difference: CodeDifference) => void;
}

/**
 * A float graph with quantizers as a graph of integers.
 *
 * Batch norms are folded with their moving statistics, weights quantized on the grid of their simulation, biases on that of the sums.
 * Layers of DoReFa's models: prepareDorefa, dorefaLayer.
 * Activations of fewer than 8 bits lie at the top of int8. Ops that need equal parameters get a requantize before or behind them where
 * they differ. dropout and identity vanish. A batch of unknown size is 1.
 *
 * Values keep their names as tensors, and nodes have those of what they give; with float32 at the borders, "image" is the float tensor and "image/int8" holds its codes.
 *
 * @param where begins the message of errors
 *
 * Errors: QuantError `unsupported`, naming everything that integers cannot compute at once, or the layer whose sums could leave int32 or
 * whose scales do not fit each other; `non-finite`, naming layer and array. Source: docs/convert.md, docs/numerics.md.
 */
export function lower(
  trained: Graph,
  { weights, params }: LowerData,
  { io = "float32", firstLast = "int8", onDifference = () => {} }: LowerOptions = {},
  where = "lower",
): QuantizedGraph {
  const graph = prepareDorefa(trained, firstLast);
  const grids = valueGrids(graph, params);
  checkObstacles(where, graph, grids);
  const dorefaOf = dorefaLowerings(graph, grids, onDifference);
  const emission = startEmission(Object.keys(graph.values));
  const lowered: Lowered = { graph, emission, io, tensors: new Map() };
  for (const input of graph.inputs) addInput(lowered, input, codeGrid(grids.get(input) as QuantParams));
  for (const node of graph.nodes) {
    if (node.op === "opaque") continue;
    const [value] = node.outputs;
    const inputs = node.inputs.map((input) => lowered.tensors.get(input) as string);
    const grid = codeGrid(grids.get(value) as QuantParams);
    const vanishes = (node.op === "dropout" || node.op === "identity") && sameCodes(codesOf(emission, inputs[0]), grid);
    const output = vanishes ? inputs[0] : codesName(lowered, value);
    lowered.tensors.set(value, output);
    if (vanishes) continue;
    const shape = fixedShape(graph.values[value].shape);
    addIntegerNodes(node, {
      emission,
      data: weights,
      where: `${where}: ${layerLabel(node)}`,
      inputs,
      output,
      shape,
      grid,
      dorefa: dorefaOf(value),
    });
  }
  const outputs: string[] = [];
  for (const output of graph.outputs) outputs.push(addOutput(lowered, output, outputs));
  const { tensors, nodes } = emission;
  const bounded = withSmallestCodes(tensors, nodes);
  const integers = {
    name: graph.name,
    inputs: graph.inputs,
    outputs,
    tensors: bounded,
    nodes: nodes.map((node) => withFusedRelu(node, bounded[node.output])),
  };
  validateQuantizedGraph(integers);
  return integers;
}

/** How the layer that gives a value is lowered, in a model of DoReFa's; of others undefined. */
function dorefaLowerings(
  graph: Graph,
  grids: ReadonlyMap<string, QuantParams>,
  onDifference: DorefaLowering["onDifference"],
): (value: string) => DorefaLowering | undefined {
  if (!isDorefa(graph)) return () => undefined;
  // Values before a max pool, reshape … have the very grid of the clip behind it.
  const clips = Object.entries(graph.quantizers).flatMap(([value, quantizer]) =>
    "bound" in quantizer || "sign" in quantizer ? [grids.get(value)] : [],
  );
  return (value) => {
    const grid = grids.get(value);
    return { sign: grid === SIGN_GRID, onDifference: clips.includes(grid) ? onDifference : () => {} };
  };
}

interface Lowered {
  readonly graph: Graph;
  readonly emission: Emission;
  readonly io: "float32" | "int8";
  /** Names of int8 tensors by value. */
  readonly tensors: Map<string, string>;
}

/** The name of a value's codes; the value's own belongs to a float tensor at the borders. */
function codesName({ graph, emission, io }: Lowered, value: string): string {
  const atBorder = graph.inputs.includes(value) || graph.outputs.includes(value);
  return io === "float32" && atBorder ? emission.fresh(`${value}/int8`) : value;
}

function addInput({ graph, emission, io, tensors }: Lowered, input: string, grid: CodeGrid): void {
  const shape = fixedShape(graph.values[input].shape);
  const { qmin, ...free } = grid;
  if (io === "int8" && qmin === undefined) {
    tensors.set(input, addCodes(emission, input, shape, grid));
    return;
  }
  // Nobody clamps what comes in as codes, so those of fewer than 8 bits are quantized again.
  if (io === "int8") addCodes(emission, input, shape, free);
  else emission.tensors[input] = { dtype: "float32", shape };
  const codes = addCodes(emission, emission.fresh(`${input}/int8`), shape, grid);
  addNode(emission, { op: "quantize", inputs: [input], output: codes });
  tensors.set(input, codes);
}

/** Makes a value leave under its own name; an input, or what left before, under one like it. Returns the name. */
function addOutput({ graph, emission, io, tensors }: Lowered, value: string, left: readonly string[]): string {
  const codes = tensors.get(value) as string;
  const taken = graph.inputs.includes(value) || left.includes(value);
  if (io === "int8" && codes === value && !taken) return value;
  const output = taken ? emission.fresh(`${value}/output`) : value;
  if (io === "int8") return addReshape(emission, output, codes, codesOf(emission, codes).shape);
  emission.tensors[output] = { dtype: "float32", shape: codesOf(emission, codes).shape };
  addNode(emission, { op: "dequantize", inputs: [codes], output });
  return output;
}

/** Tensors with the lower bound that their grid and what gives them make together. */
function withSmallestCodes(
  tensors: Readonly<Record<string, QuantizedTensor>>,
  nodes: readonly QuantizedNode[],
): Record<string, QuantizedTensor> {
  const bounded = { ...tensors };
  for (const node of nodes) {
    const output = bounded[node.output];
    const inputs = node.inputs.map((name) => bounded[name]).filter((tensor) => tensor.dtype === "int8");
    if (output.dtype !== "int8" || inputs.length === 0) continue;
    const qmin = Math.max(output.qmin ?? -128, smallestCode(node, inputs, output));
    if (qmin > -128) bounded[node.output] = { ...output, qmin };
  }
  return bounded;
}

/** A lower bound at the zero point is a relu: where an op can have one, files say it so. */
function withFusedRelu(node: QuantizedNode, output: QuantizedTensor): QuantizedNode {
  const fuses = "weights" in node || node.op === "add" || node.op === "subtract" || node.op === "multiply";
  const clips = output.dtype === "int8" && output.qmin === output.zeroPoint;
  return fuses && clips && node.activation === "linear" ? { ...node, activation: "relu" } : node;
}

/** The shape with a batch of 1 where it was unknown. */
function fixedShape([batch, ...sizes]: ValueShape): readonly number[] {
  return [batch ?? 1, ...(sizes as number[])];
}
