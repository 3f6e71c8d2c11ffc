import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, QuantizedGraph, QuantizedNode } from "../graph/quantized-graph.js";
import { additionRule } from "./addition-rule.js";
import type { LayerStep, TensorByte } from "./layer-step.js";
import type { TensorLayout } from "./tensor-layout.js";

/**
 * A sum or difference of two tensors of one shape as a step of addCodes; undefined for other nodes, for shapes that broadcast, for
 * the rule that rounds twice, and for scales whose sums do not fit 32 bits: those are run by the definition.
 *
 * Errors: RangeError as additionRule.
 */
export function additionStep(
  graph: QuantizedGraph,
  node: QuantizedNode,
  rounding: RoundingRule,
  [x, x2]: readonly TensorLayout[],
  y: TensorLayout,
): (LayerStep & { readonly x2: TensorByte }) | undefined {
  if (node.op !== "add" && node.op !== "subtract") return undefined;
  const [a, b, output] = [...node.inputs, node.output].map((name) => graph.tensors[name] as Int8Tensor);
  if ([a, b].some(({ shape }) => shape.join() !== output.shape.join())) return undefined;
  const rule = additionRule(node, a, b, output, rounding);
  if (rule.rounding === "twice") return undefined;
  const { aMultiplier, bMultiplier, shift, zeroPoint, qmin, qmax } = rule;
  const half = 2 ** (shift - 1);
  // |code − zeroPoint| ≤ 255.
  if (255 * (Math.abs(aMultiplier) + Math.abs(bMultiplier)) + half >= 2 ** 31) return undefined;
  return {
    node: node.name,
    kernel: "addCodes",
    x: { tensor: node.inputs[0], offset: x.origin },
    x2: { tensor: node.inputs[1], offset: x2.origin },
    y: { tensor: node.output, offset: y.origin },
    numbers: {
      images: y.images,
      xImageBytes: x.imageBytes,
      x2ImageBytes: x2.imageBytes,
      yImageBytes: y.imageBytes,
      rows: y.height,
      xRowBytes: x.rowBytes,
      x2RowBytes: x2.rowBytes,
      yRowBytes: y.rowBytes,
      columns: y.width * y.pixelBytes,
      multiplier: aMultiplier,
      multiplier2: bMultiplier,
      offset: (half - aMultiplier * a.zeroPoint - bMultiplier * b.zeroPoint) | 0,
      shift,
      zeroPoint,
      qmin,
      qmax,
    },
    scratchBytes: 0,
    macs: 0,
  };
}
