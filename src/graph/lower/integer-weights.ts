import { QuantError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import { firstNonFinite, nonFiniteError } from "../../core/tensor.js";
import { biasCodes } from "../../reference/bias-on-grid.js";
import { foldBatchNorm } from "../../wasm/fold-batch-norm.js";
import { quantize } from "../../wasm/quantize.js";
import { type TrainingGrid, trainingWeightParams } from "../training-weights.js";
import type { NodeBatchNorm } from "../types.js";
import { checkAccumulators, checkMultipliers } from "./limits.js";

/** Values of a network's weights, by name. */
export type WeightData = ReadonlyMap<string, Float32Array>;

/** A linear layer in float: weights in tfjs's layout, one axis of which holds the output channels: the last. */
export interface FloatLayer {
  readonly weights: Float32Array;
  readonly shape: Shape;
  readonly bias: Float32Array | undefined;
  readonly batchNorm: Pick<NodeBatchNorm, "gamma" | "beta" | "mean" | "variance" | "epsilon"> | undefined;
  readonly grid: TrainingGrid;
}

/** A linear layer in integers. */
export interface IntegerLayer {
  /** Codes in tfjs's layout. */
  readonly codes: Int8Array;
  readonly weightBits: 8 | 4;
  readonly weightScales: Float32Array;
  /** undefined: zeros. */
  readonly bias: Int32Array | undefined;
}

/**
 * Folds, quantizes and proves one linear layer: the very integers of its simulation.
 *
 *     w' = w · k, b' = (b − μ) · k + β     (foldBatchNorm, float32)
 *     sw = max(range of w' / qmax, |b'| / (sx · 2^30)),  codes = quantize(w'),  bias = rne(b' / (sx · sw))
 *
 * Weights of up to 4 bits are stored as int4.
 *
 * Errors: QuantError `non-finite`, naming array and index; `unsupported` where a sum could leave int32, or where the scales do not fit
 * each other. Source: docs/numerics.md, "Biases in training".
 */
export function integerLayer(
  where: string,
  layer: FloatLayer,
  data: WeightData,
  inputScale: number,
  outputScale: number,
): IntegerLayer {
  const { shape, grid } = layer;
  const { weights, bias } = folded(where, layer, data);
  const params = trainingWeightParams(
    `${where}: weights`,
    { data: weights, shape },
    grid,
    bias === undefined ? undefined : { bias, inputScale },
  );
  const codes = quantize(weights, params, { shape }) as Int8Array;
  const weightScales = typeof params.scale === "number" ? Float32Array.of(params.scale) : params.scale;
  const channels = shape[shape.length - 1];
  const rounded = new Int32Array(channels);
  if (bias !== undefined) biasCodes(bias, inputScale, weightScales, rounded);
  const biasOnGrid = rounded.some((code) => code !== 0) ? rounded : undefined;
  checkMultipliers(where, inputScale, weightScales, outputScale);
  checkAccumulators(where, channelsFirst(codes, channels), channels, biasOnGrid);
  return { codes, weightBits: grid.bits <= 4 ? 4 : 8, weightScales, bias: biasOnGrid };
}

/** A matrix [rest, channels] as [channels, rest]: how TensorFlow Lite lays out weights. */
export function channelsFirst(codes: Int8Array, channels: number): Int8Array {
  const rest = codes.length / channels;
  const out = new Int8Array(codes.length);
  for (let r = 0; r < rest; r++) {
    for (let c = 0; c < channels; c++) out[c * rest + r] = codes[r * channels + c];
  }
  return out;
}

function folded(
  where: string,
  { weights, shape, bias, batchNorm }: FloatLayer,
  data: WeightData,
): { readonly weights: Float32Array; readonly bias: Float32Array | undefined } {
  if (bias !== undefined) checkFinite(where, "bias", bias);
  if (batchNorm === undefined) return { weights, bias };
  const statistics = (["gamma", "beta", "mean", "variance"] as const).flatMap((role) => {
    const name = batchNorm[role];
    if (name === undefined) return [];
    const values = data.get(name) as Float32Array;
    checkFinite(where, role, values);
    return [[role, values] as const];
  });
  const found = Object.fromEntries(statistics) as Record<"mean" | "variance", Float32Array>;
  const negative = found.variance.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected variances ≥ 0, got ${found.variance[negative]} at channel ${negative}`,
    );
  }
  return foldBatchNorm(
    { weights, ...(bias !== undefined && { bias }), ...found, epsilon: batchNorm.epsilon },
    { shape, axis: -1 },
  );
}

/** Checks that an array of a layer has no NaN or ±Infinity. Errors: QuantError `non-finite`, naming layer, array and index. */
export function checkFinite(where: string, role: string, values: Float32Array): void {
  if (firstNonFinite(values) >= 0) throw nonFiniteError(`${where}: ${role}`, values);
}
