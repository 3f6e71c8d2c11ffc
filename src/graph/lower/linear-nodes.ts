import { sizeOf } from "../../core/shape.js";
import type { IntegerDepthwiseConv2dNode } from "../quantized-graph.js";
import { BATCH_NORM_GRID } from "../training-weights.js";
import type { BatchNormNode, FusedActivation, GraphNode, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";
import { type DorefaLayer, type DorefaPlace, dorefaBatchNorm, dorefaLayer, signLayer } from "./dorefa-layer.js";
import { addCodes, addNode, addReshape, codesOf } from "./emission.js";
import type { DorefaLowering, Lowering } from "./integer-nodes.js";
import { channelsFirst, type IntegerLayer, integerLayer } from "./integer-weights.js";

/** Adds a convolution or matrix product, its weights laid out as TensorFlow Lite has them. */
export function addWeighted(node: WeightedNode, lowering: Lowering): void {
  const { emission, inputs, output, shape, grid } = lowering;
  const input = codesOf(emission, inputs[0]);
  const { codes, weightBits, weightScales, bias } = weightedLayer(node, lowering);
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

function weightedLayer(node: WeightedNode, lowering: Lowering): IntegerLayer {
  const { emission, data, where, inputs, grid, dorefa } = lowering;
  if (dorefa !== undefined) {
    const found = dorefaLayer(node, data, dorefaPlace(lowering, dorefa, node.activation));
    // What training left in float has no codes to differ from.
    if (node.dorefa !== undefined) tellDifferences(node, found, dorefa);
    return found.layer;
  }
  const { batchNorm, weightGrid } = node;
  if (weightGrid === undefined) throw new TypeError(`${where}: expected a grid for the weights, got none`);
  const layer = {
    weights: data.get(node.weights) as Float32Array,
    shape: weightsView(node).shape,
    bias: node.bias === undefined ? undefined : data.get(node.bias),
    batchNorm,
    grid: weightGrid,
  };
  return integerLayer(where, layer, data, codesOf(emission, inputs[0]).scale, grid.scale);
}

/** Adds a batch normalization that no layer took in. */
export function addBatchNorm(node: BatchNormNode, lowering: Lowering): void {
  const { emission, data, where, inputs, shape, grid, dorefa } = lowering;
  const channels = shape[shape.length - 1];
  if (dorefa !== undefined) {
    const found = dorefaBatchNorm(node, channels, data, dorefaPlace(lowering, dorefa, node.activation));
    tellDifferences(node, found, dorefa);
    addPerChannel(node.activation, found.layer, lowering);
    return;
  }
  const weights = new Float32Array(channels).fill(1);
  const layer = { weights, shape: [1, 1, 1, channels], bias: undefined, batchNorm: node, grid: BATCH_NORM_GRID };
  const { scale } = codesOf(emission, inputs[0]);
  addPerChannel(node.activation, integerLayer(where, layer, data, scale, grid.scale), lowering);
}

/** Adds what makes signs of codes: `output` is on the grid of signs. */
export function addSigns(
  lowering: Pick<Lowering, "emission" | "where" | "inputs" | "output" | "shape" | "grid">,
): void {
  const { emission, where, inputs, shape } = lowering;
  const layer = signLayer(shape[shape.length - 1], { where, input: codesOf(emission, inputs[0]) });
  addPerChannel("linear", layer, lowering);
}

function dorefaPlace(
  { emission, where, inputs, grid }: Lowering,
  { sign }: DorefaLowering,
  activation: FusedActivation,
): DorefaPlace {
  return { where, input: codesOf(emission, inputs[0]), output: grid, sign, activation };
}

function tellDifferences(
  { layer: { id } }: GraphNode,
  { differences, refitted }: DorefaLayer,
  { onDifference }: DorefaLowering,
): void {
  for (const difference of differences) onDifference({ layer: id, ...difference });
  for (const channel of refitted) onDifference({ layer: id, channel, refitted: true });
}

/**
 * Adds a factor and a bias for each channel: a depthwise 1 × 1 convolution.
 *
 * Values that are no map become one, [batch, 1, rest, channels], and are reshaped back.
 */
function addPerChannel(
  activation: FusedActivation,
  { codes, weightBits, weightScales, bias }: IntegerLayer,
  { emission, inputs, output, shape, grid }: Pick<Lowering, "emission" | "inputs" | "output" | "shape" | "grid">,
): void {
  const channels = shape[shape.length - 1];
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
    weightBits,
    weightScales,
    ...(bias !== undefined && { bias }),
    activation,
    multiplier: 1,
    strides: [1, 1],
    dilations: [1, 1],
    padding: "valid",
  };
  addNode(emission, convolution);
  if (!isMap) addReshape(emission, output, to, shape);
}
