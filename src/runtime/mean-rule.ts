import type { RoundingRule } from "../core/rounding-rule.js";
import { nodeLabel } from "../graph/node-label.js";
import type { Int8Tensor, IntegerMeanNode } from "../graph/quantized-graph.js";
import type { MeanRule } from "../reference/integer-mean.js";
import { fl } from "../reference/rounding.js";
import { fixedPointRequantization } from "./requantization.js";

/**
 * How the sum of n codes becomes the code of their mean.
 *
 *     integer   Σ(q − zx), once, M = sx/(sy·n) (float64)
 *     float32   Σ(q − zx), in float32, scale fl(sx/fl(sy·n))
 *     tflite    over height and width, dimensions kept: Σq, twice, M = fl(sx/fl(n·sy)), and the zero point
 *                   zy − trunc(fl(v ± ½)), v = fl(fl(zx·sx)/sy), away from zero
 *               else equal parameters: trunc(Σq/n)
 *               else zy + round(fl(fl(fl(Σq/n)·fl(sx/sy)) + fl(−zx·fl(sx/sy)))), ties away from zero
 *
 * Errors: RangeError naming the node where M ≥ 2^8 (not in float32).
 */
export function meanRule(
  node: IntegerMeanNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): MeanRule {
  const n = node.axes.reduce((product, axis) => product * input.shape[axis], 1);
  const to = { zeroPoint: output.zeroPoint, qmin: output.qmin ?? -128, qmax: 127 };
  const inputZeroPoint = input.zeroPoint;
  const where = nodeLabel(node);
  if (rounding === "integer") {
    const requantization = fixedPointRequantization(where, [input.scale / (output.scale * n)], "once", to);
    return { kind: "requantized", inputZeroPoint, requantization };
  }
  if (rounding === "float32") {
    const scale = Float32Array.of(input.scale / fl(output.scale * n));
    return { kind: "requantized", inputZeroPoint, requantization: { ...to, rounding, scale } };
  }
  if (node.keepDims && input.shape.length === 4 && node.axes.length === 2 && node.axes[0] === 1 && node.axes[1] === 2) {
    const shifted = fl(fl(inputZeroPoint * input.scale) / output.scale);
    const zeroPoint = to.zeroPoint - Math.trunc(fl(shifted + (shifted > 0 ? 0.5 : -0.5)));
    const M = fl(input.scale / fl(n * output.scale));
    const requantization = fixedPointRequantization(where, [M], "twice", { ...to, zeroPoint });
    return { kind: "requantized", inputZeroPoint: 0, requantization };
  }
  if (input.scale === output.scale && input.zeroPoint === output.zeroPoint) return { ...to, kind: "truncated" };
  const scale = fl(input.scale / output.scale);
  return { ...to, kind: "float32", scale, bias: fl(-inputZeroPoint * scale) };
}
