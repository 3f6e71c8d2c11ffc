import type { RoundingRule } from "../core/rounding-rule.js";
import { channelView, sizeOf, tensorView } from "../core/shape.js";
import type {
  Int8Tensor,
  IntegerArgMaxNode,
  IntegerArithmeticNode,
  IntegerBorderNode,
  IntegerWeightedNode,
  QuantizedGraph,
  QuantizedNode,
  QuantizedTensor,
} from "../graph/quantized-graph.js";
import { activationBounds } from "../reference/activation-bounds.js";
import { argMax } from "../reference/arg-max.js";
import { lookUpCodes } from "../reference/code-table.js";
import { concatCodes } from "../reference/concat-codes.js";
import { dequantize } from "../reference/dequantize.js";
import { integerConv2d } from "../reference/integer-conv2d.js";
import { integerDepthwiseConv2d } from "../reference/integer-depthwise-conv2d.js";
import { integerFullyConnected } from "../reference/integer-fully-connected.js";
import { integerMaxPool } from "../reference/integer-max-pool.js";
import { integerMultiply } from "../reference/integer-multiply.js";
import { integerResizeBilinear, type ResizeSizes } from "../reference/integer-resize-bilinear.js";
import { exponentialTable, integerSoftmax } from "../reference/integer-softmax.js";
import { quantize } from "../reference/quantize.js";
import { resizeNearest } from "../reference/resize-nearest.js";
import { resizeAxis, resizeBits } from "../reference/resize-positions.js";
import { padCodes, sliceCodes, transposeCodes } from "../reference/strided-codes.js";
import { type CodesStep, kernellessStep } from "./kernelless-step.js";
import { nodeTable } from "./node-table.js";
import { linearRequantization, productRequantization } from "./requantization.js";
import { windowGeometry } from "./window-geometry.js";

/** Codes, or float32 and int32 at the borders. */
export type TensorData = Int8Array | Float32Array | Int32Array;

/** Computes a node: its inputs in their order, its output, written. */
export type ReferenceStep = (inputs: readonly TensorData[], out: TensorData) => void;

/**
 * A node by its definition in src/reference, everything that does not depend on data computed beforehand.
 *
 * The arrays that the step is given have the types and sizes of the node's tensors: it checks nothing.
 * Errors: RangeError naming the node, where its scales do not fit each other under this rule.
 */
export function referenceStep(graph: QuantizedGraph, node: QuantizedNode, rounding: RoundingRule): ReferenceStep {
  const inputs = node.inputs.map((name) => graph.tensors[name]);
  const output = graph.tensors[node.output];
  if (isBorder(node)) return borderStep(node, inputs[0], output, rounding);
  if (node.op === "argMax") {
    const view = channelView(inputs[0].shape, node.axis);
    return ([x], out) => argMax(x as Int8Array, view, out as Int32Array);
  }
  const compute = codesStep(node, inputs as Int8Tensor[], output as Int8Tensor, rounding);
  return (data, out) => compute(data as readonly Int8Array[], out as Int8Array);
}

type CodesNode = Exclude<QuantizedNode, IntegerBorderNode | IntegerArgMaxNode>;

function isBorder(node: QuantizedNode): node is IntegerBorderNode {
  return node.op === "quantize" || node.op === "dequantize";
}

function borderStep(
  node: IntegerBorderNode,
  input: QuantizedTensor,
  output: QuantizedTensor,
  rounding: RoundingRule,
): ReferenceStep {
  if (input.dtype === "int8" && output.dtype === "int8") {
    const table = nodeTable(node, input, output, rounding);
    return ([x], out) => lookUpCodes(x as Int8Array, table, out as Int8Array);
  }
  if (output.dtype === "int8") {
    const params = borderParams(output);
    return ([x], out) => quantize(x as Float32Array, params, out as Int8Array);
  }
  const params = borderParams(input as Int8Tensor);
  return ([q], out) => dequantize(q as Int8Array, params, out as Float32Array);
}

function borderParams({ scale, zeroPoint, qmin = -128, shape }: Int8Tensor) {
  const view = tensorView(sizeOf(shape));
  return { scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), qmin, qmax: 127, view };
}

function codesStep(
  node: CodesNode,
  inputs: readonly Int8Tensor[],
  output: Int8Tensor,
  rounding: RoundingRule,
): CodesStep {
  const [input] = inputs;
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "fullyConnected":
      return linearStep(node, input, output, rounding);
    case "add":
    case "subtract":
    case "averagePool2d":
    case "mean":
      return kernellessStep(node, inputs, output, rounding);
    case "multiply":
      return productStep(node, inputs, output, rounding);
    case "concat": {
      const shapes = inputs.map(({ shape }) => shape);
      return (data, out) => concatCodes(data, shapes, node.axis, out);
    }
    case "maxPool2d": {
      const geometry = windowGeometry(node, input.shape, output.shape);
      const bounds = activationBounds(node.activation, output, rounding);
      return ([x], out) => integerMaxPool(x, bounds, geometry, out);
    }
    case "pad":
      return ([x], out) => padCodes(x, input.shape, node.padding, input.zeroPoint, out);
    case "reshape":
      return ([x], out) => out.set(x);
    case "transpose":
      return ([x], out) => transposeCodes(x, input.shape, node.permutation, out);
    case "stridedSlice":
      return ([x], out) => sliceCodes(x, input.shape, node, output.shape, out);
    case "resizeNearest": {
      const sizes = resizeSizes(input, output);
      return ([x], out) => resizeNearest(x, node, sizes, out);
    }
    case "resizeBilinear": {
      const sizes = resizeSizes(input, output);
      const rule = {
        rows: resizeAxis(sizes.inHeight, sizes.outHeight, node, rounding),
        columns: resizeAxis(sizes.inWidth, sizes.outWidth, node, rounding),
        bits: resizeBits(rounding),
        ties: rounding === "tflite" ? "away" : "up",
      } as const;
      return ([x], out) => integerResizeBilinear(x, rule, sizes, out);
    }
    case "softmax": {
      const table = exponentialTable(node.beta, input.scale);
      const channels = input.shape[input.shape.length - 1];
      return ([x], out) => integerSoftmax(x, table, channels, out);
    }
    default: {
      const table = nodeTable(node, input, output, rounding);
      return ([x], out) => lookUpCodes(x, table, out);
    }
  }
}

function linearStep(
  node: IntegerWeightedNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): CodesStep {
  const layer = {
    ...node,
    inputZeroPoint: input.zeroPoint,
    requantization: linearRequantization(node, input, output, rounding),
  };
  if (node.op === "fullyConnected") {
    const [outChannels, inChannels] = node.weightsShape;
    return ([x], out) => integerFullyConnected(x, layer, { inChannels, outChannels }, out);
  }
  const geometry = windowGeometry(node, input.shape, output.shape);
  const convolve = node.op === "conv2d" ? integerConv2d : integerDepthwiseConv2d;
  return ([x], out) => convolve(x, layer, geometry, out);
}

function productStep(
  node: IntegerArithmeticNode,
  [a, b]: readonly Int8Tensor[],
  output: Int8Tensor,
  rounding: RoundingRule,
): CodesStep {
  const shapes = { a: a.shape, b: b.shape, out: output.shape };
  const multiplication = {
    aZeroPoint: a.zeroPoint,
    bZeroPoint: b.zeroPoint,
    requantization: productRequantization(node, a, b, output, rounding),
  };
  return ([x, y], out) => integerMultiply(x, y, multiplication, shapes, out);
}

function resizeSizes({ shape: input }: Int8Tensor, { shape: output }: Int8Tensor): ResizeSizes {
  const [batch, inHeight, inWidth, inChannels] = input;
  return { batch, inHeight, inWidth, inChannels, outHeight: output[1], outWidth: output[2] };
}
