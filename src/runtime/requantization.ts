import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, IntegerWeightedNode } from "../graph/quantized-graph.js";
import { activationBounds } from "../reference/activation-bounds.js";
import { fixedPointMultiplier } from "../reference/fixed-point-multiplier.js";
import type { Requantization } from "../reference/requantize.js";
import { fl } from "../reference/rounding.js";

/**
 * How the sums of a layer with weights become codes: the one place where its scales become multipliers.
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
  const bounds = { zeroPoint: output.zeroPoint, ...activationBounds(node.activation, output) };
  const channels = node.op === "depthwiseConv2d" ? node.weightsShape[2] : node.weightsShape[0];
  const weightScale = (c: number) => node.weightScales[node.weightScales.length === 1 ? 0 : c];
  if (rounding === "float32") {
    const scale = Float32Array.from({ length: channels }, (_, c) =>
      fl(fl(input.scale * weightScale(c)) / output.scale),
    );
    return { ...bounds, rounding, scale };
  }
  const early = rounding === "tflite" && node.op === "fullyConnected" && node.weightScales.length === 1;
  const multipliers = Array.from({ length: channels }, (_, c) => {
    const product = input.scale * weightScale(c);
    return fixedPointMultiplier(`${node.op} "${node.name}"`, (early ? fl(product) : product) / output.scale);
  });
  return {
    ...bounds,
    rounding: rounding === "tflite" && node.op === "depthwiseConv2d" ? "twice" : "once",
    multiplier: Int32Array.from(multipliers, ({ multiplier }) => multiplier),
    shift: Int32Array.from(multipliers, ({ shift }) => shift),
  };
}
