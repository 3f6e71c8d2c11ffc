import type { RoundingRule } from "../core/rounding-rule.js";
import { sizeOf } from "../core/shape.js";
import type { Int8Tensor, IntegerMeanNode } from "../graph/quantized-graph.js";
import { elementBlock } from "./element-block.js";
import { meanRule } from "./mean-rule.js";
import type { Operand, OpPlan } from "./op-plan.js";
import { axisSteps } from "./strided-loops.js";
import { type Span, type WindowMap, windowStep } from "./window-step.js";

/** A mean as one over some of the axes [height, width, channels] of images. */
interface MeanView {
  readonly shape: readonly [number, number, number, number];
  readonly height: boolean;
  readonly width: boolean;
  readonly channels: boolean;
}

/**
 * Mean over axes. None where they are no neighbours and the tensor is no image, where images are averaged with each other or come of
 * other tensors, and under TensorFlow Lite's rules that are no requantization.
 */
export function planMean(
  node: IntegerMeanNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): OpPlan | undefined {
  const rule = meanRule(node, input, output, rounding);
  // Images that come of other tensors may have a border where the view has none.
  const alike = output.shape.length !== 4 || input.shape.length === 4;
  const view = alike ? viewOf(input.shape, node.axes) : undefined;
  if (rule.kind !== "requantized" || view === undefined) return undefined;
  const n = sizeOf(input.shape) / sizeOf(output.shape);
  const { zeroPoint, qmin, qmax } = rule.requantization;
  const bias = -n * rule.inputZeroPoint;
  const range = { bias, least: bias - 128 * n, largest: bias + 127 * n };
  return {
    dense: false,
    steps([x], y) {
      const map = mapOf(view, x, y);
      const blocks = elementBlock(range, rule.requantization, map.run);
      const numbers = { zeroPoint, qmin, qmax, blockCount: 1 };
      return [windowStep(node.name, "meanCodes", [x, y], map, { numbers, blocks })];
    },
  };
}

function viewOf(shape: readonly number[], axes: readonly number[]): MeanView | undefined {
  if (shape.length === 4) {
    if (axes.includes(0) && shape[0] > 1) return undefined;
    const [height, width, channels] = [1, 2, 3].map((axis) => axes.includes(axis));
    return { shape: [shape[0], shape[1], shape[2], shape[3]], height, width, channels };
  }
  const [first, last] = [axes[0], axes[axes.length - 1]];
  if (last - first !== axes.length - 1) return undefined;
  const averaged = sizeOf(shape.slice(first, last + 1));
  return {
    shape: [sizeOf(shape.slice(0, first)), averaged, 1, sizeOf(shape.slice(last + 1))],
    height: true,
    width: false,
    channels: false,
  };
}

/** Rows of a window are rows of the image. In a row, width and channels are neighbours: what is averaged there is a window's pixels. */
function mapOf({ shape, height, width, channels }: MeanView, x: Operand, y: Operand): WindowMap {
  const [images, inHeight, inWidth, inChannels] = shape;
  const [xImageBytes, inRowBytes] = x.shape.length === 4 ? axisSteps(x) : rowMajor(shape);
  const kept = [images, height ? 1 : inHeight, width ? 1 : inWidth, channels ? 1 : inChannels];
  const [yImageBytes, yRowBytes, yPixelBytes] = y.shape.length === 4 ? axisSteps(y) : rowMajor(kept);
  const each = (outputs: number, count: number): Span[] =>
    Array.from({ length: outputs }, (_, i) => ({ first: i * count, count }));
  const rows = height ? each(1, inHeight) : each(inHeight, 1);
  const bytes = { images, xImageBytes, inRowBytes, yImageBytes, yRowBytes, yPixelBytes, rows };
  if (channels) {
    const columns = width ? each(1, inWidth * inChannels) : each(inWidth, inChannels);
    return { ...bytes, columns, xPixelBytes: 1, run: 1 };
  }
  return width
    ? { ...bytes, columns: each(1, inWidth), xPixelBytes: inChannels, run: inChannels }
    : { ...bytes, columns: each(1, 1), xPixelBytes: inWidth * inChannels, run: inWidth * inChannels };
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}
