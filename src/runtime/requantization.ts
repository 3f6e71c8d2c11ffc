import type { RoundingRule } from "../core/rounding-rule.js";
import { nodeLabel } from "../graph/node-label.js";
import type { Int8Tensor, IntegerArithmeticNode, IntegerWeightedNode } from "../graph/quantized-graph.js";
import { activationBounds } from "../reference/activation-bounds.js";
import { fixedPointMultiplier } from "../reference/fixed-point-multiplier.js";
import type { OutputCodes, Requantization } from "../reference/requantize.js";
import { fl } from "../reference/rounding.js";

/**
 * How the sums of a layer with weights become codes.
 *
 *     M[c] = sx · sw[c] / sy in float64; tflite, fully connected, one weight scale: fl(sx · sw) / sy;
 *     float32: fl(fl(sx · sw[c]) / sy)
 *
 * One entry per output channel. Errors: RangeError naming the node where M ≥ 2^8 (not in float32).
 */
export function linearRequantization(
  node: IntegerWeightedNode,
  input: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): Requantization {
  const to = outputCodes(node, output, rounding);
  const channels = node.op === "depthwiseConv2d" ? node.weightsShape[2] : node.weightsShape[0];
  const weightScale = (c: number): number => node.weightScales[node.weightScales.length === 1 ? 0 : c];
  if (rounding === "float32") {
    const scales = Array.from({ length: channels }, (_, c) => fl(input.scale * weightScale(c)) / output.scale);
    return { ...to, rounding, scale: Float32Array.from(scales) };
  }
  const early = rounding === "tflite" && node.op === "fullyConnected" && node.weightScales.length === 1;
  const multipliers = Array.from({ length: channels }, (_, c) => {
    const product = input.scale * weightScale(c);
    return (early ? fl(product) : product) / output.scale;
  });
  const twice = rounding === "tflite" && node.op === "depthwiseConv2d";
  return fixedPointRequantization(nodeLabel(node), multipliers, twice ? "twice" : "once", to);
}

/**
 * How the product of two differences of codes becomes a code.
 *
 *     M = sa · sb / sy in float64;   tflite, float32: fl(fl(sa · sb) / sy)
 *
 * float32 is tflite where XNNPACK does not take M: outside of [2^−16, 2^8). Errors: RangeError naming the node where M ≥ 2^8.
 */
export function productRequantization(
  node: IntegerArithmeticNode,
  a: Int8Tensor,
  b: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): Requantization {
  const to = outputCodes(node, output, rounding);
  if (rounding === "integer") {
    return fixedPointRequantization(nodeLabel(node), [(a.scale * b.scale) / output.scale], "once", to);
  }
  const M = fl(fl(a.scale * b.scale) / output.scale);
  return rounding === "float32" && M >= 2 ** -16 && M < 2 ** 8
    ? { ...to, rounding, scale: Float32Array.of(M) }
    : fixedPointRequantization(nodeLabel(node), [M], "twice", to);
}

/** Requantization by one fixed-point multiplier for each M. Errors: RangeError naming `where`, for M ≥ 2^8. */
export function fixedPointRequantization(
  where: string,
  M: readonly number[],
  rounding: "once" | "twice",
  to: OutputCodes,
): Requantization {
  const multipliers = M.map((multiplier) => fixedPointMultiplier(where, multiplier));
  return {
    ...to,
    rounding,
    multiplier: Int32Array.from(multipliers, ({ multiplier }) => multiplier),
    shift: Int32Array.from(multipliers, ({ shift }) => shift),
  };
}

/** Zero point and bounds of a node's output. */
export function outputCodes(
  node: IntegerWeightedNode | IntegerArithmeticNode,
  output: Int8Tensor,
  rounding: RoundingRule,
): OutputCodes {
  return { zeroPoint: output.zeroPoint, ...activationBounds(node.activation, output, rounding) };
}
