import type { Shape } from "../core/shape.js";
import { broadcastIndex } from "./broadcast.js";
import { type OutputCodes, type Requantization, requantize } from "./requantize.js";
import { fl, roundTiesAway } from "./rounding.js";

/**
 * How a sum of n codes becomes the code of their mean.
 *
 * requantized: the sum, less n·inputZeroPoint, is requantized with a multiplier that holds 1/n.
 * truncated: trunc(sum / n). TensorFlow Lite's where input and output have equal parameters.
 * float32: zeroPoint + round(fl(fl(fl(sum / n) · scale) + bias)), ties away from zero. TensorFlow Lite's where they have not.
 */
export type MeanRule =
  | { readonly kind: "requantized"; readonly inputZeroPoint: number; readonly requantization: Requantization }
  | ({ readonly kind: "truncated" } & OutputCodes)
  | ({ readonly kind: "float32"; readonly scale: number; readonly bias: number } & OutputCodes);

/**
 * Mean of codes over some axes.
 *
 *     y[kept axes] = rule(Σ x over the other axes)
 *
 * x row-major in `shape`; out row-major in the sizes of the axes that stay, written. Overflow: none below 2^23 summands.
 */
export function integerMean(x: Int8Array, shape: Shape, axes: readonly number[], rule: MeanRule, out: Int8Array): void {
  const sums = new Int32Array(out.length);
  // Where a broadcast of the output over the input would read from is where the sum goes.
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const target = broadcastIndex(kept, shape);
  for (let i = 0; i < x.length; i++) sums[target[i]] += x[i];
  const n = axes.reduce((product, axis) => product * shape[axis], 1);
  for (let i = 0; i < out.length; i++) out[i] = meanCode(sums[i], n, rule);
}

function meanCode(sum: number, n: number, rule: MeanRule): number {
  if (rule.kind === "requantized") return requantize(sum - n * rule.inputZeroPoint, rule.requantization, 0);
  const code =
    rule.kind === "truncated"
      ? Math.trunc(sum / n)
      : rule.zeroPoint + roundTiesAway(fl(fl(fl(sum / n) * rule.scale) + rule.bias));
  return Math.max(rule.qmin, Math.min(rule.qmax, code));
}
