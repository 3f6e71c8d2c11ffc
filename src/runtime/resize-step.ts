import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, IntegerResizeNode } from "../graph/quantized-graph.js";
import { nearestPixel, type ResizeAxis, resizeAxis, resizeBits } from "../reference/resize-positions.js";
import type { LayerStep } from "./layer-step.js";
import type { Operand, OpPlan } from "./op-plan.js";

/** Resizes: tables say where each output row and column comes from. */
export function planResize(
  node: IntegerResizeNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): OpPlan {
  const [, inHeight, inWidth] = input.shape;
  const [, outHeight, outWidth] = output.shape;
  if (node.op === "resizeNearest") {
    const nearest = (inSize: number, outSize: number): number[] =>
      Array.from({ length: outSize }, (_, i) => nearestPixel(i, inSize, outSize, node));
    const [rows, columns] = [nearest(inHeight, outHeight), nearest(inWidth, outWidth)];
    return {
      dense: false,
      steps([x], y) {
        const taps = [
          ...rows.map((row) => row * x.layout.rowBytes),
          ...columns.map((column) => column * x.layout.pixelBytes),
        ];
        return [step(node, "resizeNearest", x, y, taps)];
      },
    };
  }
  const rows = resizeAxis(inHeight, outHeight, node, rounding);
  const columns = resizeAxis(inWidth, outWidth, node, rounding);
  return {
    dense: false,
    steps([x], y) {
      const away = rounding === "tflite" ? -1 : 0;
      const taps = [
        ...[resizeBits(rounding), away],
        ...entries(rows, x.layout.rowBytes),
        ...entries(columns, x.layout.pixelBytes),
      ];
      return [step(node, "resizeBilinear", x, y, taps)];
    },
  };
}

function entries({ lower, upper, weight }: ResizeAxis, bytes: number): number[] {
  return Array.from(weight).flatMap((w, i) => [lower[i] * bytes, upper[i] * bytes, w]);
}

function step(
  node: IntegerResizeNode,
  kernel: "resizeNearest" | "resizeBilinear",
  x: Operand,
  y: Operand,
  taps: readonly number[],
): LayerStep {
  const { layout } = y;
  return {
    node: node.name,
    kernel,
    x: { tensor: x.name, offset: x.layout.origin },
    y: { tensor: y.name, offset: layout.origin },
    numbers: {
      images: layout.images,
      xImageBytes: x.layout.imageBytes,
      yImageBytes: layout.imageBytes,
      rows: layout.height,
      yRowBytes: layout.rowBytes,
      columns: layout.width,
      yPixelBytes: layout.pixelBytes,
      run: layout.channels,
      tapCount: taps.length,
    },
    taps: Uint32Array.from(taps),
    scratchBytes: 0,
    macs: 0,
  };
}
