import { QuantError } from "../core/errors.js";
import { type Grid, gridOf } from "../core/grid.js";
import { formatShape } from "../core/shape.js";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import { nodeLabel } from "./node-label.js";
import { isWeighted } from "./readers.js";
import { sameShape } from "./same-shape.js";
import { formatValueShape, inferShape } from "./shapes.js";
import type {
  EdgeQuantizer,
  Graph,
  GraphNode,
  NodeBatchNorm,
  NodeDorefa,
  NodeWeightGrid,
  WeightedNode,
} from "./types.js";
import { weightsView } from "./weights-view.js";

/** Names that tfjs takes for tensors and layers. */
const VALID_NAME = /^[A-Za-z0-9][-A-Za-z0-9._/]*$/;

/**
 * Checks every rule of a graph.
 *
 *  - names are unique and valid; nodes stand in topological order; each value has one source; outputs exist
 *  - shapes are what the ops make of their inputs; only opaque nodes read anything but float32
 *  - weights exist in the shapes that the nodes need; uses of one layer agree in everything but name, values and what was fused
 *  - numbers are in range: strides, windows, paddings, epsilon, momentum, alpha
 *  - quantizers belong to float32 values and their grids exist; `like` names a value with parameters
 *
 * Errors: QuantError `invalid-model`, naming the node, weight or value.
 */
export function validateGraph(graph: Graph): void {
  checkNodes(graph);
  for (const node of graph.nodes) {
    checkNumbers(node);
    checkShapes(graph, node);
    checkWeights(graph, node);
  }
  checkUses(graph);
  for (const [value, quantizer] of Object.entries(graph.quantizers)) checkQuantizer(graph, value, quantizer);
}

function invalid(where: string, expected: string, actual: string): QuantError {
  return new QuantError("invalid-model", `${where}: expected ${expected}, got ${actual}`);
}

function checkNodes({ inputs, outputs, values, nodes }: Graph): void {
  const known = new Set<string>();
  const declare = (where: string, value: string): void => {
    if (!VALID_NAME.test(value)) {
      throw invalid(where, "names of letters, digits, '.', '_', '-', '/'", JSON.stringify(value));
    }
    if (known.has(value)) throw invalid(where, "values that nothing else gives", `"${value}"`);
    if (!Object.hasOwn(values, value)) throw invalid(where, "its values in graph.values", `no "${value}"`);
    known.add(value);
  };
  for (const input of inputs) declare("graph inputs", input);
  const names = new Set<string>();
  for (const node of nodes) {
    const where = nodeLabel(node);
    if (!VALID_NAME.test(node.name)) throw invalid(where, "a name of letters, digits, '.', '_', '-', '/'", node.name);
    if (names.has(node.name)) throw invalid(where, "a name of its own", "the name of another node");
    names.add(node.name);
    const unknown = node.inputs.find((input) => !known.has(input));
    if (unknown !== undefined) throw invalid(where, "inputs that come before it", `"${unknown}"`);
    if (node.op !== "opaque" && node.outputs.length !== 1) throw invalid(where, "one output", `${node.outputs.length}`);
    for (const output of node.outputs) declare(where, output);
  }
  const stray = Object.keys(values).find((value) => !known.has(value));
  if (stray !== undefined) throw invalid("graph values", "values of inputs and nodes", `"${stray}"`);
  const missing = outputs.find((output) => !known.has(output));
  if (missing !== undefined) throw invalid("graph outputs", "values of the graph", `"${missing}"`);
}

function checkShapes({ values }: Graph, node: GraphNode): void {
  if (node.op === "opaque") return;
  const foreign = node.inputs.find((input) => values[input].dtype !== "float32");
  if (foreign !== undefined) {
    throw invalid(nodeLabel(node), "float32 inputs", `${values[foreign].dtype} "${foreign}"`);
  }
  const [output] = node.outputs;
  const inferred = inferShape(
    node,
    node.inputs.map((input) => values[input].shape),
  );
  if (!sameShape(inferred, values[output].shape)) {
    throw invalid(nodeLabel(node), `output ${formatValueShape(inferred)}`, formatValueShape(values[output].shape));
  }
}

function checkNumbers(node: GraphNode): void {
  const check = (name: string, numbers: readonly number[], wanted: string, test: (n: number) => boolean): void => {
    const wrong = numbers.find((n) => !test(n));
    if (wrong !== undefined) throw invalid(nodeLabel(node), `${name} ${wanted}`, String(wrong));
  };
  const counts = (name: string, numbers: readonly number[]): void =>
    check(name, numbers, "of integers ≥ 1", (n) => Number.isInteger(n) && n >= 1);
  if ("strides" in node) counts("strides", node.strides);
  if ("dilations" in node) counts("dilations", node.dilations);
  if ("poolSize" in node) counts("poolSize", node.poolSize);
  if (node.op === "upsample2d") counts("size", node.size);
  if (node.op === "zeroPad2d") {
    check("padding", node.padding.flat(), "of integers ≥ 0", (n) => Number.isInteger(n) && n >= 0);
  }
  if (node.op === "leakyRelu") check("alpha", [node.alpha], "finite", Number.isFinite);
  const norm = batchNormOf(node);
  if (norm === undefined) return;
  check("epsilon", [norm.epsilon], "> 0", (n) => n > 0 && Number.isFinite(n));
  check("momentum", [norm.momentum], "in [0, 1]", (n) => n >= 0 && n <= 1);
}

function batchNormOf(node: GraphNode): Omit<NodeBatchNorm, "layer"> | undefined {
  if (node.op === "batchNorm") return node;
  return isWeighted(node) ? node.batchNorm : undefined;
}

function checkWeights({ values, weights }: Graph, node: GraphNode): void {
  const check = (name: string, shape: readonly number[] | undefined, role: string): void => {
    if (!Object.hasOwn(weights, name)) throw invalid(nodeLabel(node), `${role} in graph.weights`, `no "${name}"`);
    const actual = weights[name].shape;
    if (shape === undefined || sameShape(actual, shape) || (shape[0] === 1 && sameShape([1, ...actual], shape))) return;
    throw invalid(nodeLabel(node), `${role} ${formatShape(shape)}`, formatShape(actual));
  };
  if (node.op === "opaque") {
    for (const name of node.weights) check(name, undefined, "weights");
    return;
  }
  if (isWeighted(node)) {
    check(node.weights, node.weightsShape, "weights");
    if (node.bias !== undefined) check(node.bias, [channelsOf(node)], "bias");
    if (node.weightGrid !== undefined) checkWeightGrid(node, node.weightGrid);
    if (node.dorefa !== undefined) checkDorefa(node, node.dorefa);
  }
  const norm = batchNormOf(node);
  if (norm === undefined) return;
  const channels = isWeighted(node) ? channelsOf(node) : values[node.inputs[0]].shape.at(-1);
  if (channels === null || channels === undefined) {
    throw invalid(nodeLabel(node), "an input whose last size is known", formatValueShape(values[node.inputs[0]].shape));
  }
  for (const role of ["gamma", "beta", "mean", "variance"] as const) {
    const name = norm[role];
    if (name !== undefined) check(name, [channels], role);
  }
}

function checkWeightGrid(node: WeightedNode, { axis, ...grid }: NodeWeightGrid): void {
  const where = `weight grid of ${nodeLabel(node)}`;
  checkedGrid(where, grid);
  const { shape } = weightsView(node);
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw invalid(where, `an axis in [0, ${shape.length - 1}]`, String(axis));
  }
}

function checkDorefa(node: WeightedNode, { weightBits, gradientBits, seed, tensor }: NodeDorefa): void {
  const where = `dorefa of ${nodeLabel(node)}`;
  if (node.weightGrid !== undefined || node.batchNorm !== undefined) {
    throw invalid(where, "no weightGrid and no batchNorm beside it", "one");
  }
  for (const bits of [weightBits, gradientBits]) {
    if (bits !== UNTOUCHED_BITS) checkedGrid(where, { bits, signed: false });
  }
  for (const number of [seed, tensor]) {
    if (!(Number.isInteger(number) && number >= 0 && number < 2 ** 32)) {
      throw invalid(where, "integers seed and tensor in [0, 2^32)", String(number));
    }
  }
}

function channelsOf(node: WeightedNode): number {
  const { shape, axis } = weightsView(node);
  return shape[axis];
}

/** Nodes that name the same weights become one layer again, so they may differ only in where they stand. */
function checkUses({ nodes }: Graph): void {
  const first = new Map<string, GraphNode>();
  const described = (node: GraphNode) => JSON.stringify({ ...node, name: "", fused: [], inputs: [], outputs: [] });
  for (const node of nodes) {
    const key = isWeighted(node) ? node.weights : node.op === "batchNorm" ? node.mean : undefined;
    if (key === undefined) continue;
    const known = first.get(key);
    if (known === undefined) first.set(key, node);
    else if (described(known) !== described(node)) {
      throw invalid(nodeLabel(node), `what "${known.name}" is, which uses "${key}" too`, "another description");
    }
  }
}

function checkQuantizer({ values, nodes, quantizers }: Graph, value: string, quantizer: EdgeQuantizer): void {
  const where = `quantizer of "${value}"`;
  if (!Object.hasOwn(values, value)) throw invalid(where, "a value of the graph", "none of that name");
  if (values[value].dtype !== "float32") throw invalid(where, "a float32 value", values[value].dtype);
  if ("like" in quantizer) {
    const target = Object.hasOwn(quantizers, quantizer.like) ? quantizers[quantizer.like] : undefined;
    if (target === undefined || "like" in target) {
      throw invalid(where, "like a value that has parameters", `like "${quantizer.like}"`);
    }
    return;
  }
  const { qmin, qmax } = checkedGrid(where, quantizer);
  if ("bound" in quantizer) {
    const { bound } = quantizer;
    if (!(bound > 0 && Number.isFinite(bound))) throw invalid(where, "a bound > 0", String(bound));
  }
  if (!("fixed" in quantizer)) return;
  const { scale, zeroPoint } = quantizer.fixed;
  if (!(scale > 0 && Number.isFinite(scale))) throw invalid(where, "a scale > 0", String(scale));
  if (!Number.isInteger(zeroPoint) || zeroPoint < qmin || zeroPoint > qmax) {
    throw invalid(where, `a zeroPoint in [${qmin}, ${qmax}]`, String(zeroPoint));
  }
  const source = nodes.find(({ outputs }) => outputs.includes(value));
  if (source === undefined || !(source.op === "softmax" || source.op === "sigmoid" || source.op === "tanh")) {
    throw invalid(where, "fixed parameters on softmax, sigmoid or tanh only", source?.op ?? "a graph input");
  }
}

function checkedGrid(where: string, grid: { readonly bits: number; readonly signed: boolean }): Grid {
  try {
    return gridOf(where, { bits: grid.bits, signed: grid.signed });
  } catch (error) {
    throw new QuantError("invalid-model", (error as RangeError).message);
  }
}
