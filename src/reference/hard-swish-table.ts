import type { RoundingRule } from "../core/rounding-rule.js";
import { type CodeMap, type CodeTable, codeTable } from "./code-table.js";
import { fixedPointMultiplier } from "./fixed-point-multiplier.js";
import { roundTiesAway, roundTiesUp } from "./rounding.js";

/**
 * The table of x·min(max(x + 3, 0), 6)/6.
 *
 *     integer           zy + ⌊f((q − zx)·sx)/sy + ½⌋                             (float64)
 *     tflite, float32   TensorFlow Lite's steps in 16 bits; XNNPACK leaves this op to the builtin kernels
 *
 * Errors: RangeError naming `where`, for sx/sy ≥ 2^15 (tflite and float32).
 */
export function hardSwishTable(where: string, { input, output }: CodeMap, rounding: RoundingRule): CodeTable {
  const { zeroPoint, qmin } = output;
  if (rounding === "integer") {
    const codeOf = (x: number): number => roundTiesUp((x * Math.min(6, Math.max(0, x + 3))) / 6 / output.scale);
    return codeTable((q) => zeroPoint + codeOf((q - input.zeroPoint) * input.scale), qmin);
  }
  const codeOf = stepsIn16Bits(where, input.scale, output.scale);
  return codeTable((q) => zeroPoint + codeOf((q - input.zeroPoint) * 2 ** 7), qmin);
}

/**
 * x in steps of sx/2^7 to the output's steps: a value in [−1, 1] that is x/3 saturated, brought to [0, 1], times x.
 *
 * Source: TensorFlow Lite, reference/hard_swish.h.
 */
function stepsIn16Bits(where: string, inputScale: number, outputScale: number): (x: number) => number {
  const fine = Math.fround(inputScale / 2 ** 7);
  const toOutput = fixedPointMultiplier(where, Math.fround(fine / outputScale));
  const toReluish = fixedPointMultiplier(where, Math.fround(fine / Math.fround(3 / 2 ** 15)));
  const [outputMultiplier, reluishMultiplier] = [toOutput, toReluish].map(({ multiplier }) => upper16(multiplier));
  const left = -toReluish.shift;
  return (x) => {
    let reluish = left > 0 ? saturate16(x * 2 ** (left - 1)) : x;
    reluish = roundedHigh16(reluish, reluishMultiplier);
    if (left > 0) reluish = saturate16(reluish * 2);
    else if (left < 0) reluish = roundTiesAway(reluish / 2 ** -left);
    const gate = (reluish + 2 ** 15) >> 1;
    return roundTiesAway(high16(gate, roundedHigh16(x, outputMultiplier)) / 2 ** toOutput.shift);
  };
}

const saturate16 = (x: number): number => Math.max(-(2 ** 15), Math.min(2 ** 15 - 1, x));

/** The upper 16 bits of a multiplier of 31, rounded. */
const upper16 = (multiplier: number): number => saturate16((multiplier + 2 ** 15) / 2 ** 16) | 0;

/** 2ab/2^16 of 16-bit integers, ties up. */
const roundedHigh16 = (a: number, b: number): number => saturate16(roundTiesUp((a * b) / 2 ** 15));

/** The same, cut toward zero. */
const high16 = (a: number, b: number): number => saturate16(Math.trunc((a * b) / 2 ** 15));
