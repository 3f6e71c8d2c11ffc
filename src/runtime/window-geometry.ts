import type { ConvGeometry } from "../core/conv-geometry.js";
import type { IntegerConv2dNode, IntegerDepthwiseConv2dNode, IntegerPool2dNode } from "../graph/quantized-graph.js";

/**
 * The sizes of a convolution or pooling between tensors of these shapes.
 *
 * same: the padding that the output's size needs, ⌊half⌋ of it before; valid: none.
 */
export function windowGeometry(
  node: IntegerConv2dNode | IntegerDepthwiseConv2dNode | IntegerPool2dNode,
  input: readonly number[],
  output: readonly number[],
): ConvGeometry {
  const [kernelHeight, kernelWidth] = windowOf(node);
  const [strideHeight, strideWidth] = node.strides;
  const [dilationHeight, dilationWidth] = "dilations" in node ? node.dilations : [1, 1];
  const [batch, inHeight, inWidth, inChannels] = input;
  const [, outHeight, outWidth, outChannels] = output;
  const before = (size: number, outputs: number, kernel: number, stride: number, dilation: number): number =>
    node.padding === "valid"
      ? 0
      : Math.floor(Math.max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size) / 2);
  return {
    batch,
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padTop: before(inHeight, outHeight, kernelHeight, strideHeight, dilationHeight),
    padLeft: before(inWidth, outWidth, kernelWidth, strideWidth, dilationWidth),
  };
}

function windowOf(node: IntegerConv2dNode | IntegerDepthwiseConv2dNode | IntegerPool2dNode): readonly number[] {
  if (node.op === "conv2d") return node.weightsShape.slice(1, 3);
  return node.op === "depthwiseConv2d" ? node.weightsShape.slice(0, 2) : node.poolSize;
}
