import type { RoundingRule } from "../core/rounding-rule.js";
import { nodeLabel } from "../graph/node-label.js";
import type { Int8Tensor, IntegerArithmeticNode } from "../graph/quantized-graph.js";
import { fixedPointMultiplier } from "../reference/fixed-point-multiplier.js";
import { ADDITION_LEFT_SHIFT, type Addition } from "../reference/integer-add.js";
import { fl, roundTiesToEven } from "../reference/rounding.js";
import { outputCodes } from "./requantization.js";

/** The shift of the integer rule, and the bits that XNNPACK gives the larger of its multipliers. */
const BITS = 20;
const LARGEST_MULTIPLIER = 2 ** 28;

/**
 * How two codes become the code of their sum or difference.
 *
 *     integer   A = rne(sa/sy·2^20), B = rne(sb/sy·2^20) (float64), shift 20
 *     tflite    sa and sb over 2·max(sa, sb), and that over 2^20·sy, as fixed-point multipliers (float64)
 *     float32   XNNPACK's: A = rne(fl(sa/sy)·2^shift), B likewise, shift = 20 − ⌊log2 max(fl(sa/sy), fl(sb/sy))⌋, where it takes
 *               them: both in [2^−10, 2^8); else tflite
 *
 * A difference has −B. Errors: RangeError naming the node: a multiplier ≥ 2^28 (integer), or ≥ 2^8 (tflite).
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
  const once = (ratios: readonly number[], shift: number): Addition => {
    const [aMultiplier, bMultiplier] = ratios.map((ratio) => roundTiesToEven(ratio * 2 ** shift));
    return { ...common, rounding: "once", aMultiplier, bMultiplier: sign * bMultiplier, shift };
  };
  if (rounding === "integer") {
    const ratios = [a.scale / output.scale, b.scale / output.scale];
    if (roundTiesToEven(Math.max(...ratios) * 2 ** BITS) >= LARGEST_MULTIPLIER) {
      throw new RangeError(
        `${where}: expected input scales below 256 times the output's ${output.scale}, got ${a.scale} and ${b.scale}`,
      );
    }
    return once(ratios, BITS);
  }
  const ratios = [fl(a.scale / output.scale), fl(b.scale / output.scale)];
  if (rounding === "float32" && ratios.every((ratio) => ratio >= 2 ** -10 && ratio < 2 ** 8)) {
    // Exact: log2 of a float32 between two powers of two stays 2^−24 away from both.
    return once(ratios, BITS - Math.floor(Math.log2(Math.max(...ratios))));
  }
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
