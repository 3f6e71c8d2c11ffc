import type { ConvGeometry } from "../core/conv-geometry.js";
import type { RoundingRule } from "../core/rounding-rule.js";
import type {
  Int8Tensor,
  IntegerConv2dNode,
  IntegerDepthwiseConv2dNode,
  IntegerFullyConnectedNode,
  IntegerWeightedNode,
} from "../graph/quantized-graph.js";
import type { Requantization } from "../reference/requantize.js";
import { BLOCK, BLOCK_CHANNELS, BLOCK_WORDS, DIRECT_TILES, type LayerNumbers } from "../wasm/layer-words.js";
import { blockStarts, type ChannelSums, channelBlocks, channelSums } from "./channel-blocks.js";
import { type LayerStep, upTo } from "./layer-step.js";
import { packDepthwise, packDirect, packMatrix, packTaps } from "./pack-conv2d.js";
import { packWinograd, WINOGRAD_LIMIT } from "./pack-winograd.js";
import { linearRequantization } from "./requantization.js";
import { type Border, NO_BORDER, type TensorLayout } from "./tensor-layout.js";
import { windowGeometry } from "./window-geometry.js";

// How layers with weights become steps. Which kernel a layer takes depends on its sizes and weights alone; where its bytes are is
// told once all borders are known.

export interface LinearOptions {
  readonly rounding: RoundingRule;
  /** No packed weights that are larger than the model's own by more than widening them. */
  readonly preferMemory: boolean;
}

/** A layer with weights whose kernel is chosen. */
export interface LinearPlan {
  /** What the kernel wants around the input. */
  readonly border: Border;
  /** Whether the input must have no border at all. */
  readonly dense: boolean;
  step(input: TensorLayout, output: TensorLayout): LayerStep;
}

/** Packed A that stays in the first cache beside a block of weights. */
const PACKED_BYTES = 16384;
const WINOGRAD_PACKED_BYTES = 24576;
const MOST_GROUPS = { direct: 128, winograd: 64 } as const;
/** Output pixels of a depthwise strip, whose sums stay in the first cache; and the fewest rows, so that widened rows are of use. */
const STRIP_PIXELS = 512;
const LEAST_STRIP_ROWS = 4;
/** Rows from which a matrix product is worth widening the weights for. */
const LEAST_MATRIX_ROWS = 4;
/** How much cheaper Winograd's products must be than direct ones, to pay for its transforms. */
const WINOGRAD_GAIN = 0.75;

/** Chooses the kernel of a layer with weights. Errors: RangeError where its scales do not fit each other. */
export function planLinear(
  node: IntegerWeightedNode,
  input: Int8Tensor,
  output: Int8Tensor,
  { rounding, preferMemory }: LinearOptions,
): LinearPlan {
  const to = linearRequantization(node, input, output, rounding);
  if (node.op === "fullyConnected") {
    const rows = output.shape.reduce((product, size) => product * size, 1) / node.weightsShape[0];
    return planMatrix(node, rows, foldedSums(node, input), to);
  }
  const geometry = windowGeometry(node, input.shape, output.shape);
  if (node.op === "depthwiseConv2d") return planDepthwise(node, geometry, foldedSums(node, input), to);
  return planConv2d(node, geometry, foldedSums(node, input), to, preferMemory);
}

function foldedSums(node: IntegerWeightedNode, { zeroPoint }: Int8Tensor): ChannelSums {
  const { weights, weightsShape, bias } = node;
  const depthwise = node.op === "depthwiseConv2d";
  const channels = depthwise ? node.weightsShape[2] : weightsShape[0];
  const length = weights.length / channels;
  return channelSums(channels, bias, zeroPoint, (visit) => {
    for (let i = 0; i < weights.length; i++) visit(weights[i], depthwise ? i % channels : Math.floor(i / length));
  });
}

function planConv2d(
  node: IntegerConv2dNode,
  geometry: ConvGeometry,
  sums: ChannelSums,
  to: Requantization,
  preferMemory: boolean,
): LinearPlan {
  if (coversMap(geometry)) return planMatrix(node, geometry.batch, sums, to);
  const size = preferMemory ? undefined : winogradSize(node, geometry);
  return size === undefined ? planDirect(node, geometry, sums, to) : planWinograd(node, geometry, sums, to, size);
}

/** Whether a window takes in its whole image, whose bytes then lie one behind the other. */
function coversMap(g: ConvGeometry): boolean {
  const whole = g.kernelHeight === g.inHeight && g.kernelWidth === g.inWidth;
  return whole && g.outHeight === 1 && g.outWidth === 1 && g.padTop === 0 && g.padLeft === 0 && undilated(g);
}

function undilated({ kernelHeight, kernelWidth, dilationHeight, dilationWidth }: ConvGeometry): boolean {
  return (dilationHeight === 1 || kernelHeight === 1) && (dilationWidth === 1 || kernelWidth === 1);
}

/** Rows [in] → [out], in one matrix product or one vector at a time. */
function planMatrix(
  node: IntegerConv2dNode | IntegerFullyConnectedNode,
  rows: number,
  sums: ChannelSums,
  to: Requantization,
): LinearPlan {
  const channels = sums.bias.length;
  const length = node.weights.length / channels;
  const macs = rows * node.weights.length;
  const blocks = channelBlocks(sums, to);
  if (rows < LEAST_MATRIX_ROWS) {
    const depth = upTo(length, 8);
    return {
      border: NO_BORDER,
      dense: true,
      step: (_input, output) => ({
        node: node.name,
        blocks,
        macs,
        kernel: "matrixVector",
        ...operands(node, 0, output.origin),
        numbers: { ...codes(to, blocks), images: rows, xImageBytes: length, yImageBytes: rowStep(output), depth },
        weights: packMatrix(node.weights, channels, depth),
        scratchBytes: 16 + 64 + 2 * depth,
      }),
    };
  }
  const run = upTo(length, 2);
  const weights = packDirect(node.weights, channels, length, run);
  return {
    border: NO_BORDER,
    dense: true,
    step: (_input, output) => ({
      node: node.name,
      blocks,
      macs,
      ...direct(run, run),
      ...operands(node, 0, output.origin),
      numbers: flattened({
        ...codes(to, blocks),
        ...direct(run, run).numbers,
        images: output.images,
        xImageBytes: output.height * output.width * length,
        yImageBytes: output.imageBytes,
        rows: output.height,
        xRowBytes: output.width * length,
        yRowBytes: output.rowBytes,
        columns: output.width,
        xPixelBytes: length,
        yPixelBytes: output.pixelBytes,
        tapCount: 1,
      }),
      weights,
      taps: Uint32Array.of(0),
    }),
  };
}

/** Bytes between the two or three rows of an output: being so few, they lie along one of its axes. */
function rowStep({ images, height, imageBytes, rowBytes, pixelBytes }: TensorLayout): number {
  if (images > 1) return imageBytes;
  return height > 1 ? rowBytes : pixelBytes;
}

function planDirect(
  node: IntegerConv2dNode,
  geometry: ConvGeometry,
  sums: ChannelSums,
  to: Requantization,
): LinearPlan {
  const g = geometry;
  // Neighbouring columns of a kernel's row are one run of bytes, unless dilation spreads them.
  const perRow = g.dilationWidth === 1 || g.kernelWidth === 1 ? g.kernelWidth : 1;
  const runLength = perRow * g.inChannels;
  const run = upTo(runLength, 2);
  const depth = (node.weights.length / g.outChannels / runLength) * run;
  const blocks = channelBlocks(sums, to);
  const weights = packDirect(node.weights, g.outChannels, runLength, run);
  return {
    border: windowBorder(g),
    dense: false,
    step: (input, output) => {
      const taps = tapOffsets(g, input, perRow);
      return {
        node: node.name,
        blocks,
        macs: geometryMacs(g, node.weights.length / g.outChannels),
        kernel: "conv2dDirect",
        ...operands(node, windowOrigin(g, input), output.origin),
        numbers: flattened({
          ...codes(to, blocks),
          ...direct(run, depth).numbers,
          ...windows(g, input, output),
          tapCount: taps.length,
        }),
        weights,
        taps,
        scratchBytes: direct(run, depth).scratchBytes,
      };
    },
  };
}

/** What conv2dDirect takes besides geometry. */
function direct(run: number, depth: number) {
  const groups = Math.max(1, Math.min(MOST_GROUPS.direct, Math.floor(PACKED_BYTES / (8 * depth))));
  return {
    kernel: "conv2dDirect",
    numbers: { groups, run, depth },
    scratchBytes: 16 + 16 * groups + DIRECT_TILES * 128 + groups * 8 * depth + 48,
  } as const;
}

/** Windows that lie in steps of one size are one row; images of them, one image. */
function flattened(numbers: LayerNumbers): LayerNumbers {
  const { images = 1, rows = 1, columns = 1, xPixelBytes = 0, yPixelBytes = 0 } = numbers;
  if (numbers.xRowBytes !== columns * xPixelBytes || numbers.yRowBytes !== columns * yPixelBytes) return numbers;
  const pixels = rows * columns;
  const one = numbers.xImageBytes === pixels * xPixelBytes && numbers.yImageBytes === pixels * yPixelBytes;
  return { ...numbers, rows: 1, columns: one ? images * pixels : pixels, images: one ? 1 : images };
}

/** The tile that pays, if any: 3 × 3 windows of stride 1 whose sums stay exact. */
function winogradSize(node: IntegerConv2dNode, g: ConvGeometry): 2 | 4 | undefined {
  const fits = g.kernelHeight === 3 && g.kernelWidth === 3 && g.strideHeight === 1 && g.strideWidth === 1;
  if (!fits || !undilated(g) || g.inChannels < BLOCK_CHANNELS) return undefined;
  const bound = largestProductSum(node);
  const cost = (size: 2 | 4): number => {
    const tiles = Math.ceil(g.outHeight / size) * Math.ceil(g.outWidth / size);
    return bound < WINOGRAD_LIMIT[size] ? Math.ceil(tiles / 4) * 4 * (size + 2) ** 2 : Number.POSITIVE_INFINITY;
  };
  const size = cost(4) <= cost(2) ? 4 : 2;
  return cost(size) < WINOGRAD_GAIN * 9 * g.outHeight * g.outWidth ? size : undefined;
}

/** The largest |Σ x·w| that codes x give in any channel. */
function largestProductSum({ weights, weightsShape }: IntegerConv2dNode): number {
  const sums = new Float64Array(weightsShape[0]);
  const length = weights.length / sums.length;
  for (let i = 0; i < weights.length; i++) sums[Math.floor(i / length)] += 128 * Math.abs(weights[i]);
  return Math.max(...sums);
}

function planWinograd(
  node: IntegerConv2dNode,
  g: ConvGeometry,
  sums: ChannelSums,
  to: Requantization,
  size: 2 | 4,
): LinearPlan {
  const depth = upTo(g.inChannels, 8);
  const positions = (size + 2) ** 2;
  const groups = Math.max(
    1,
    Math.min(MOST_GROUPS.winograd, Math.floor(WINOGRAD_PACKED_BYTES / (positions * depth * 8))),
  );
  const blocks = channelBlocks(sums, to);
  return {
    border: windowBorder(g),
    dense: false,
    step: (input, output) => ({
      node: node.name,
      blocks,
      macs: geometryMacs(g, node.weights.length / g.outChannels),
      kernel: size === 2 ? "winograd2" : "winograd4",
      ...operands(node, windowOrigin(g, input), output.origin),
      numbers: {
        ...codes(to, blocks),
        ...windows(g, input, output),
        groups,
        depth,
        inRowBytes: input.rowBytes,
        inChannels: g.inChannels,
      },
      weights: packWinograd(node.weights, g.outChannels, depth, size),
      scratchBytes:
        16 +
        groups * 16 * size ** 2 +
        576 +
        positions * 64 +
        positions * 128 +
        size ** 2 * 128 +
        upTo(g.outChannels + 16, 16) +
        groups * positions * depth * 8,
    }),
  };
}

function planDepthwise(
  node: IntegerDepthwiseConv2dNode,
  g: ConvGeometry,
  sums: ChannelSums,
  to: Requantization,
): LinearPlan {
  const blocks = channelBlocks(sums, to);
  const bytes = new Int8Array(blocks.buffer);
  for (const [b, start] of blockStarts(g.outChannels).entries()) {
    const from = Math.floor(start / node.multiplier);
    blocks[b * BLOCK_WORDS + BLOCK.inChannel] = from;
    for (let i = 0; i < Math.min(BLOCK_CHANNELS, g.outChannels); i++) {
      bytes[4 * (b * BLOCK_WORDS + BLOCK.spread) + i] = Math.floor((start + i) / node.multiplier) - from;
    }
  }
  const taps = g.kernelHeight * g.kernelWidth;
  const pairs = upTo(taps, 2);
  const narrow = fitsSixteenBits(node, g);
  const weights = narrow ? packTaps(node.weights, g.outChannels) : packDepthwise(node.weights, g.outChannels, pairs);
  const groups = Math.min(g.outHeight, Math.max(LEAST_STRIP_ROWS, Math.floor(STRIP_PIXELS / g.outWidth)));
  const pixels = groups * g.outWidth;
  const ringBytes = narrow ? 3 * 16 * (g.outWidth + 2) : 0;
  return {
    border: windowBorder(g),
    dense: false,
    step: (input, output) => {
      const offsets = tapOffsets(g, input, 1);
      const step = {
        node: node.name,
        blocks,
        macs: geometryMacs(g, taps),
        ...operands(node, windowOrigin(g, input), output.origin),
        weights,
        scratchBytes: upTo(4 * pixels, 16) + 32 * pixels + ringBytes,
      };
      const numbers = { ...codes(to, blocks), ...windows(g, input, output), groups };
      if (narrow) {
        const rows = { inRowBytes: input.rowBytes, inChannels: g.inChannels };
        return { ...step, kernel: "depthwise3x3", numbers: { ...numbers, ...rows } };
      }
      return {
        ...step,
        kernel: "depthwiseConv2d",
        numbers: { ...numbers, tapCount: pairs },
        taps: pairs === taps ? offsets : Uint32Array.of(...offsets, offsets[taps - 1]),
      };
    },
  };
}

/** Whether depthwise3x3 takes a layer: sums of two products fit 16 bits. */
function fitsSixteenBits(node: IntegerDepthwiseConv2dNode, g: ConvGeometry): boolean {
  const window = g.kernelHeight === 3 && g.kernelWidth === 3 && undilated(g);
  return window && node.multiplier === 1 && g.outChannels >= BLOCK_CHANNELS && !node.weights.includes(-128);
}

function operands(node: IntegerWeightedNode, x: number, y: number) {
  return { x: { tensor: node.inputs[0], offset: x }, y: { tensor: node.output, offset: y } };
}

function codes({ zeroPoint, qmin, qmax }: Requantization, blocks: Int32Array) {
  return { zeroPoint, qmin, qmax, blockCount: blocks.length / BLOCK_WORDS };
}

function windows(g: ConvGeometry, input: TensorLayout, output: TensorLayout) {
  return {
    images: g.batch,
    xImageBytes: input.imageBytes,
    yImageBytes: output.imageBytes,
    rows: g.outHeight,
    columns: g.outWidth,
    xPixelBytes: g.strideWidth * input.pixelBytes,
    xRowBytes: g.strideHeight * input.rowBytes,
    yRowBytes: output.rowBytes,
    yPixelBytes: output.pixelBytes,
  };
}

function geometryMacs(g: ConvGeometry, products: number): number {
  return g.batch * g.outHeight * g.outWidth * g.outChannels * products;
}

/** Where the taps of a window lie, from its first byte: one per run of `perRow` columns. */
function tapOffsets(g: ConvGeometry, input: TensorLayout, perRow: number): Uint32Array {
  const offsets: number[] = [];
  for (let i = 0; i < g.kernelHeight; i++) {
    for (let j = 0; j < g.kernelWidth; j += perRow) {
      offsets.push(i * g.dilationHeight * input.rowBytes + j * g.dilationWidth * input.pixelBytes);
    }
  }
  return Uint32Array.from(offsets);
}

/** The first byte of the first window, from the first byte of the tensor. */
function windowOrigin(g: ConvGeometry, input: TensorLayout): number {
  return input.origin - g.padTop * input.rowBytes - g.padLeft * input.pixelBytes;
}

/** How far windows reach over the edges of the map. */
function windowBorder(g: ConvGeometry): Border {
  const behind = (size: number, outputs: number, stride: number, kernel: number, dilation: number, pad: number) =>
    Math.max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - pad - size);
  return {
    top: g.padTop,
    left: g.padLeft,
    bottom: behind(g.inHeight, g.outHeight, g.strideHeight, g.kernelHeight, g.dilationHeight, g.padTop),
    right: behind(g.inWidth, g.outWidth, g.strideWidth, g.kernelWidth, g.dilationWidth, g.padLeft),
  };
}
