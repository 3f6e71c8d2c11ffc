import type { RoundingRule } from "../core/rounding-rule.js";
import { type CodeMap, type CodeTable, codeTable } from "./code-table.js";
import { fl, roundTiesAway, roundTiesUp } from "./rounding.js";

/**
 * The table of a function of real numbers.
 *
 *     integer, float32   zy + ⌊f((q − zx)·sx)/sy + ½⌋                            (float64)
 *     tflite             zy + round(fl(fl f(fl(sx·(q − zx))) · fl(1/sy))), ties away from zero; fl f: every step of f in float32
 */
function functionTable(
  exact: (x: number) => number,
  inFloat32: (x: number) => number,
  { input, output }: CodeMap,
  rounding: RoundingRule,
): CodeTable {
  const { zeroPoint } = output;
  const codeOf =
    rounding === "tflite"
      ? (q: number) => roundTiesAway(fl(inFloat32(fl(input.scale * (q - input.zeroPoint))) * fl(1 / output.scale)))
      : (q: number) => roundTiesUp(exact((q - input.zeroPoint) * input.scale) / output.scale);
  return codeTable((q) => zeroPoint + codeOf(q), output.qmin);
}

/** The table of 1/(1 + e^−x); the output has scale 1/256 and zero point −128. */
export function logisticTable(codes: CodeMap, rounding: RoundingRule): CodeTable {
  return functionTable(
    (x) => 1 / (1 + Math.exp(-x)),
    (x) => fl(1 / fl(1 + fl(Math.exp(-x)))),
    codes,
    rounding,
  );
}

/** The table of tanh x; the output has scale 1/128 and zero point 0. */
export function tanhTable(codes: CodeMap, rounding: RoundingRule): CodeTable {
  return functionTable(Math.tanh, (x) => fl(Math.tanh(x)), codes, rounding);
}
