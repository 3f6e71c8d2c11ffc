import { formatShape, sizeOf } from "../core/shape.js";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import { formatValueShape } from "./shapes.js";
import type { EdgeQuantizer, Graph, GraphNode, NodeDorefa, NodeWeightGrid, Pair, WeightedNode } from "./types.js";

/**
 * A graph as text: a line on the whole, one aligned line per input and node, a line on the outputs. Ends without a line
 * break. Columns: value, op, what it reads, shape, quantizer of the value (once placed), details.
 *
 *     conv1_relu  conv2d  image  [?, 14, 14, 8]  int8 affine  3×3 stride 2 same, bias, batchNorm, relu6, weights int4 per channel
 */
export function printGraph(graph: Graph): string {
  const { nodes, weights, values, quantizers, inputs, outputs } = graph;
  const elements = Object.values(weights).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const placed = Object.values(quantizers).filter((quantizer) => !("like" in quantizer)).length;
  const rows = [
    ...inputs.map((input) => [input, "input", "", valueText(graph, input), quantizerText(quantizers[input]), ""]),
    ...nodes.map((node) => [
      node.outputs.join(", "),
      node.op,
      node.inputs.join(", "),
      node.outputs.map((output) => formatValueShape(values[output].shape)).join(", "),
      node.outputs.map((output) => quantizerText(quantizers[output])).join(", "),
      details(node).join(", "),
    ]),
  ];
  return [
    `graph "${graph.name}": ${nodes.length} nodes, ${elements} weights, ${placed} quantizers`,
    ...aligned(rows),
    `outputs: ${outputs.join(", ")}`,
  ].join("\n");
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const used = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column].length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(used[column]))
      .filter((_, column) => used[column] > 0)
      .join("  ")
      .trimEnd(),
  );
}

function valueText({ values }: Graph, value: string): string {
  const { shape, dtype } = values[value];
  return `${formatValueShape(shape)}${dtype === "float32" ? "" : ` ${dtype}`}`;
}

function quantizerText(quantizer: EdgeQuantizer | undefined): string {
  if (quantizer === undefined) return "";
  if ("like" in quantizer) return `like ${quantizer.like}`;
  if ("bound" in quantizer) return `${gridText(quantizer)} [0, ${quantizer.bound}]`;
  if ("sign" in quantizer) return "sign";
  if ("observeOnly" in quantizer) return "observed";
  const scheme = "fixed" in quantizer ? "fixed" : quantizer.symmetric ? "symmetric" : "affine";
  return `${gridText(quantizer)} ${scheme}`;
}

function gridText({ bits, signed }: { readonly bits: number; readonly signed: boolean }): string {
  return `${signed ? "int" : "uint"}${bits}`;
}

function details(node: GraphNode): string[] {
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "dense":
      return weightedDetails(node);
    case "batchNorm":
      return fusedText(node.activation);
    case "leakyRelu":
      return [`alpha ${node.alpha}`];
    case "add":
    case "subtract":
    case "multiply":
      return fusedText(node.activation);
    case "concat":
      return [`axis ${node.axis}`];
    case "maxPool2d":
    case "averagePool2d":
      return [windowText(node.poolSize, node.strides, [1, 1], node.padding)];
    case "globalMaxPool2d":
    case "mean":
      return node.keepDims ? ["keepDims"] : [];
    case "zeroPad2d":
      return [node.padding.map(([before, after]) => `${before}+${after}`).join(" × ")];
    case "upsample2d":
      return [`${pairText(node.size)} ${node.interpolation}`];
    case "reshape":
      return [formatValueShape(node.targetShape)];
    case "permute":
      return [`[${node.permutation.join(", ")}]`];
    case "dropout":
      return [node.className];
    case "opaque":
      return [
        node.className,
        ...(node.reason === `class ${node.className}` ? [] : [node.reason]),
        ...(node.trainable ? [] : ["frozen"]),
      ];
    default:
      return [];
  }
}

function weightedDetails(node: WeightedNode): string[] {
  const { weightsShape, bias, batchNorm, activation, weightGrid, dorefa, trainable } = node;
  const [kh, kw] = weightsShape;
  return [
    node.op === "dense" ? formatShape(weightsShape) : windowText([kh, kw], node.strides, node.dilations, node.padding),
    ...(bias === undefined ? [] : ["bias"]),
    ...(batchNorm === undefined ? [] : [batchNorm.trainable ? "batchNorm" : "frozen batchNorm"]),
    ...fusedText(activation),
    ...(weightGrid === undefined ? [] : [weightGridText(weightGrid)]),
    ...(dorefa === undefined ? [] : [dorefaText(dorefa)]),
    ...(trainable ? [] : ["frozen"]),
  ];
}

function weightGridText({ granularity, symmetric, ...grid }: NodeWeightGrid): string {
  const scheme = symmetric ? "" : " affine";
  return `weights ${gridText(grid)}${scheme} ${granularity === "perChannel" ? "per channel" : "per tensor"}`;
}

/** "dorefa w1 g4": bits of weights and gradients, untouched ones left out. */
function dorefaText({ weightBits, gradientBits }: NodeDorefa): string {
  const bits = [["w", weightBits] as const, ["g", gradientBits] as const];
  return ["dorefa", ...bits.filter(([, n]) => n !== UNTOUCHED_BITS).map(([what, n]) => `${what}${n}`)].join(" ");
}

function fusedText(activation: string): string[] {
  return activation === "linear" ? [] : [activation];
}

function windowText(size: Pair, strides: Pair, dilations: Pair, padding: string): string {
  return [
    pairText(size),
    ...(strides.every((n) => n === 1) ? [] : [`stride ${onePair(strides)}`]),
    ...(dilations.every((n) => n === 1) ? [] : [`dilation ${onePair(dilations)}`]),
    padding,
  ].join(" ");
}

function pairText([a, b]: Pair): string {
  return `${a}×${b}`;
}

/** 2 for [2, 2], 2×1 for [2, 1]. */
function onePair(pair: Pair): string {
  return pair[0] === pair[1] ? String(pair[0]) : pairText(pair);
}
