import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, IntegerPool2dNode } from "../graph/quantized-graph.js";
import { activationBounds } from "../reference/activation-bounds.js";
import type { OpPlan } from "./op-plan.js";
import { windowGeometry } from "./window-geometry.js";
import { type Span, windowSpans, windowStep } from "./window-step.js";

/** Pixels up to which averagePool divides exactly. */
const MOST_AVERAGED = 4079;

/** Max and average pool; none for averages over more pixels than the kernel divides by. */
export function planPool(
  node: IntegerPool2dNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): OpPlan | undefined {
  const g = windowGeometry(node, input.shape, output.shape);
  const rows = windowSpans(g.outHeight, g.strideHeight, g.kernelHeight, g.padTop, g.inHeight);
  const columns = windowSpans(g.outWidth, g.strideWidth, g.kernelWidth, g.padLeft, g.inWidth);
  const average = node.op === "averagePool2d";
  if (average && mostOf(rows) * mostOf(columns) > MOST_AVERAGED) return undefined;
  const { qmin, qmax } = activationBounds(node.activation, output, rounding);
  return {
    dense: false,
    steps([x], y) {
      const map = {
        images: g.batch,
        xImageBytes: x.layout.imageBytes,
        inRowBytes: x.layout.rowBytes,
        xPixelBytes: x.layout.pixelBytes,
        run: g.inChannels,
        yImageBytes: y.layout.imageBytes,
        yRowBytes: y.layout.rowBytes,
        yPixelBytes: y.layout.pixelBytes,
        rows,
        columns,
      };
      return [windowStep(node.name, average ? "averagePool" : "maxPool", [x, y], map, { numbers: { qmin, qmax } })];
    },
  };
}

function mostOf(spans: readonly Span[]): number {
  return spans.reduce((most, { count }) => Math.max(most, count), 0);
}
