import { keepsParameters } from "../keeps-parameters.js";
import { isWeighted } from "../readers.js";
import type { GraphNode, OpaqueNode } from "../types.js";
import { type CodeGrid, SYMMETRIC_UNIT, sameCodes, UNIT_INTERVAL } from "./code-grid.js";
import type { CodeDifference } from "./dorefa-layer.js";
import { addCodes, addNode, addReshape, codesOf, type Emission, onGrid } from "./emission.js";
import type { WeightData } from "./integer-weights.js";
import { checkRatio, checkRescale } from "./limits.js";
import { addBatchNorm, addSigns, addWeighted } from "./linear-nodes.js";

/** What integers compute: dropout is the identity, which is requantized where it has a quantizer of its own. */
export type ComputingNode = Exclude<GraphNode, OpaqueNode>;

/** How the layers of a model of DoReFa's are lowered. */
export interface DorefaLowering {
  /** Whether what the node gives are signs. */
  readonly sign: boolean;
  readonly onDifference: (difference: CodeDifference) => void;
}

/** One node about to become integer ones. */
export interface Lowering {
  readonly emission: Emission;
  readonly data: WeightData;
  /** Begins the message of errors: names the layer. */
  readonly where: string;
  /** int8 tensors. */
  readonly inputs: readonly string[];
  /** The int8 tensor to write; not declared yet. */
  readonly output: string;
  readonly shape: readonly number[];
  /** The grid to write on. */
  readonly grid: CodeGrid;
  /** Present in models of DoReFa's. */
  readonly dorefa: DorefaLowering | undefined;
}

/**
 * Adds the integer nodes of one node, down to the tensor `output` on its grid.
 *
 * Ops whose parameters are given (their input's, where they keep them; those that file formats prescribe, for softmax, logistic and
 * tanh) write on those, and a requantize follows where the value's quantizer has others.
 *
 * Errors: as integerLayer; QuantError `unsupported` where scales do not fit each other.
 */
export function addIntegerNodes(node: ComputingNode, lowering: Lowering): void {
  const { emission, where, inputs, output, grid, dorefa } = lowering;
  const given = givenGrid(node, lowering);
  if (given === undefined || sameCodes(given, grid)) {
    addOp(node, lowering);
    return;
  }
  const copies = node.op === "identity" || node.op === "dropout";
  const before = copies ? inputs[0] : emission.fresh(`${output}/unscaled`);
  if (!copies) addOp(node, { ...lowering, output: before, grid: given });
  if (dorefa?.sign === true) addSigns({ ...lowering, inputs: [before] });
  else onGrid(emission, where, before, grid, output);
}

function givenGrid(node: ComputingNode, { emission, inputs }: Lowering): CodeGrid | undefined {
  if (node.op === "softmax" || node.op === "sigmoid") return UNIT_INTERVAL;
  if (node.op === "tanh") return SYMMETRIC_UNIT;
  return keepsParameters(node) ? codesOf(emission, inputs[0]) : undefined;
}

function addOp(node: ComputingNode, lowering: Lowering): void {
  const { emission, where, inputs, output, shape, grid } = lowering;
  const scales = inputs.map((input) => codesOf(emission, input).scale);
  if (isWeighted(node)) {
    addWeighted(node, lowering);
    return;
  }
  switch (node.op) {
    case "batchNorm":
      addBatchNorm(node, lowering);
      return;
    case "identity":
    case "dropout":
    case "flatten":
    case "reshape":
      addReshape(emission, output, inputs[0], shape);
      return;
    case "globalMaxPool2d": {
      const [batch, height, width, channels] = codesOf(emission, inputs[0]).shape;
      const map = node.keepDims ? output : emission.fresh(`${output}/map`);
      addCodes(emission, map, [batch, 1, 1, channels], grid);
      const window = { poolSize: [height, width], strides: [1, 1], padding: "valid" } as const;
      addNode(emission, { op: "maxPool2d", inputs, output: map, ...window, activation: "linear" });
      if (!node.keepDims) addReshape(emission, output, map, shape);
      return;
    }
    case "concat": {
      const moved = inputs.map((input) => onGrid(emission, where, input, grid, emission.fresh(`${input}/requantized`)));
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "concat", inputs: moved, output, axis: node.axis });
      return;
    }
    case "add":
    case "subtract":
      for (const scale of scales) checkRescale(where, scale, grid.scale);
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: node.op, inputs, output, activation: node.activation });
      return;
    case "multiply":
      checkRatio(where, "product of input scales / output scale", (scales[0] * scales[1]) / grid.scale);
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: node.op, inputs, output, activation: node.activation });
      return;
    case "mean":
      checkRescale(where, scales[0], grid.scale);
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "mean", inputs, output, axes: [1, 2], keepDims: node.keepDims });
      return;
    case "maxPool2d":
    case "averagePool2d": {
      const { op, poolSize, strides, padding } = node;
      addCodes(emission, output, shape, grid);
      addNode(emission, { op, inputs, output, poolSize, strides, padding, activation: "linear" });
      return;
    }
    case "zeroPad2d":
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "pad", inputs, output, padding: [[0, 0], ...node.padding, [0, 0]] });
      return;
    case "upsample2d": {
      const op = node.interpolation === "nearest" ? "resizeNearest" : "resizeBilinear";
      addCodes(emission, output, shape, grid);
      // tfjs samples at i / size.
      addNode(emission, { op, inputs, output, alignCorners: false, halfPixelCenters: false });
      return;
    }
    case "permute":
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "transpose", inputs, output, permutation: node.permutation });
      return;
    case "softmax":
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "softmax", inputs, output, beta: 1 });
      return;
    case "leakyRelu":
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: "leakyRelu", inputs, output, alpha: Math.fround(node.alpha) });
      return;
    case "relu":
    case "relu6":
    case "sigmoid":
    case "tanh":
      addCodes(emission, output, shape, grid);
      addNode(emission, { op: node.op === "sigmoid" ? "logistic" : node.op, inputs, output });
      return;
  }
}
