import type { RoundingRule } from "../core/rounding-rule.js";
import type { Int8Tensor, IntegerArithmeticNode } from "../graph/quantized-graph.js";
import { fixedPointMultiplier } from "../reference/fixed-point-multiplier.js";
import { ADDITION_LEFT_SHIFT, type Addition } from "../reference/integer-add.js";
import { fl, roundTiesToEven } from "../reference/rounding.js";
import { nodeLabel, outputCodes } from "./requantization.js";

/** The shift of the integer rule, and the bits that XNNPACK gives the larger of its multipliers. */
const BITS = 20;
const LARGEST_MULTIPLIER = 2 ** 28;

/**
 * How two codes become the code of their sum or difference.
 *
 *     integer   A = rne(sa/sy·2^20), B = rne(sb/sy·2^20) (float64), shift 20
 *     tflite    sa and sb over 2·max(sa, sb), and that over 2^20·sy, as fixed-point multipliers (float64)
 *     float32   XNNPACK's: A = rne(fl(sa/sy)·2^shift), B likewise, shift = 20 − ⌊log2 max(fl(sa/sy), fl(sb/sy))⌋
 *
 * A difference has −B. Errors: RangeError naming the node: a multiplier ≥ 2^28 (integer), ≥ 2^8 (tflite), a ratio of scales
 * outside of [2^−10, 2^8) (float32).
 */
export function additionRule(
  node: IntegerArithmeticNode,
  a: Int8Tensor,
  b: Int8Tensor,
  output: Int8Tensor,
  rounding: RoundingRule,
): Addition {
  const where = nodeLabel(node);
  const sign = node.op === "subtract" ? -1 : 1;
  const common = {
    ...outputCodes(node, output, rounding),
    aZeroPoint: a.zeroPoint,
    bZeroPoint: b.zeroPoint,
  };
  if (rounding === "tflite") {
    const twice = 2 * Math.max(a.scale, b.scale);
    return {
      ...common,
      rounding: "twice",
      a: fixedPointMultiplier(where, a.scale / twice),
      b: fixedPointMultiplier(where, b.scale / twice),
      sign,
      sum: fixedPointMultiplier(where, twice / (2 ** ADDITION_LEFT_SHIFT * output.scale)),
    };
  }
  const inFloat32 = rounding === "float32" ? fl : (x: number): number => x;
  const ratios = [inFloat32(a.scale / output.scale), inFloat32(b.scale / output.scale)];
  const shift = rounding === "float32" ? BITS - exponentOf(where, Math.max(...ratios)) : BITS;
  const [aMultiplier, bMultiplier] = ratios.map((ratio) => roundTiesToEven(ratio * 2 ** shift));
  if (Math.max(aMultiplier, bMultiplier) >= LARGEST_MULTIPLIER) {
    throw new RangeError(
      `${where}: expected input scales below 256 times the output's ${output.scale}, got ${a.scale} and ${b.scale}`,
    );
  }
  return { ...common, rounding: "once", aMultiplier, bMultiplier: sign * bMultiplier, shift };
}

/** ⌊log2 ratio⌋, −10…7: what XNNPACK takes. */
function exponentOf(where: string, ratio: number): number {
  if (!(ratio >= 2 ** -10 && ratio < 2 ** 8)) {
    throw new RangeError(
      `${where}: expected the larger input scale in [2^-10, 2^8) times the output's, got ${ratio}; use rounding "integer"`,
    );
  }
  // Exact: a power of two is its own float32 logarithm, and between two of them log2 stays 2^−24 away from both.
  return Math.floor(Math.log2(ratio));
}
