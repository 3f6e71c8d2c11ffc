import { sizeOf } from "../../core/shape.js";
import type { IntegerDepthwiseConv2dNode } from "../quantized-graph.js";
import { BATCH_NORM_GRID } from "../training-weights.js";
import type { BatchNormNode, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";
import { addCodes, addNode, addReshape, codesOf } from "./emission.js";
import type { Lowering } from "./integer-nodes.js";
import { channelsFirst, integerLayer } from "./integer-weights.js";

/** Adds a convolution or matrix product, its weights laid out as TensorFlow Lite has them. */
export function addWeighted(
  node: WeightedNode,
  { emission, data, where, inputs, output, shape, grid }: Lowering,
): void {
  const { batchNorm, weightGrid } = node;
  if (weightGrid === undefined) throw new TypeError(`${where}: expected a grid for the weights, got none`);
  const layer = {
    weights: data.get(node.weights) as Float32Array,
    shape: weightsView(node).shape,
    bias: node.bias === undefined ? undefined : data.get(node.bias),
    batchNorm,
    grid: weightGrid,
  };
  const input = codesOf(emission, inputs[0]);
  const { codes, weightBits, weightScales, bias } = integerLayer(where, layer, data, input.scale, grid.scale);
  addCodes(emission, output, shape, grid);
  const { activation } = node;
  const common = {
    inputs,
    output,
    weightBits,
    weightScales,
    ...(bias !== undefined && { bias }),
    activation,
  };
  switch (node.op) {
    case "conv2d": {
      const { strides, dilations, padding } = node;
      const [kh, kw, channels, out] = node.weightsShape;
      const weights = channelsFirst(codes, out);
      const weightsShape = [out, kh, kw, channels] as const;
      addNode(emission, { op: "conv2d", ...common, weights, weightsShape, strides, dilations, padding });
      return;
    }
    case "depthwiseConv2d": {
      const { strides, dilations, padding } = node;
      const [kh, kw, channels, multiplier] = node.weightsShape;
      const weightsShape = [kh, kw, channels * multiplier] as const;
      const geometry = { weightsShape, multiplier, strides, dilations, padding };
      addNode(emission, { op: "depthwiseConv2d", ...common, weights: codes, ...geometry });
      return;
    }
    case "dense": {
      const [channels, out] = node.weightsShape;
      const weights = channelsFirst(codes, out);
      const keepDims = input.shape.length > 2;
      addNode(emission, { op: "fullyConnected", ...common, weights, weightsShape: [out, channels], keepDims });
      return;
    }
  }
}

/**
 * Adds a batch normalization that no layer took in: a depthwise 1 × 1 convolution whose weights are its factors.
 *
 * Values that are no map become one,
 * [batch, 1, rest, channels], and are reshaped back.
 */
export function addBatchNorm(
  node: BatchNormNode,
  { emission, data, where, inputs, output, shape, grid }: Lowering,
): void {
  const channels = shape[shape.length - 1];
  const weights = new Float32Array(channels).fill(1);
  const layer = { weights, shape: [1, 1, 1, channels], bias: undefined, batchNorm: node, grid: BATCH_NORM_GRID };
  const { scale } = codesOf(emission, inputs[0]);
  const { codes, weightScales, bias } = integerLayer(where, layer, data, scale, grid.scale);
  const isMap = shape.length === 4;
  const map = isMap ? shape : [shape[0], 1, sizeOf(shape.slice(1, -1)), channels];
  const from = isMap ? inputs[0] : addReshape(emission, emission.fresh(`${output}/input`), inputs[0], map);
  const to = addCodes(emission, isMap ? output : emission.fresh(`${output}/map`), map, grid);
  const convolution: Omit<IntegerDepthwiseConv2dNode, "name"> = {
    op: "depthwiseConv2d",
    inputs: [from],
    output: to,
    weights: codes,
    weightsShape: [1, 1, channels],
    weightBits: 8,
    weightScales,
    ...(bias !== undefined && { bias }),
    activation: node.activation,
    multiplier: 1,
    strides: [1, 1],
    dilations: [1, 1],
    padding: "valid",
  };
  addNode(emission, convolution);
  if (!isMap) addReshape(emission, output, to, shape);
}
