import type { Granularity } from "../core/granularity.js";
import type { Shape } from "../core/shape.js";
import { firstNonFinite, type Tensor } from "../core/tensor.js";
import { quantizeWeight, type WeightGrid } from "../quantizers/quantize-weight.js";
import { sqnr } from "../quantizers/report.js";
import { dequantize } from "../wasm/dequantize.js";
import { minMax } from "../wasm/min-max.js";
import type { ValueSummary } from "./summarize-values.js";

/** The grid of a tensor that is stored quantized. */
export interface StoredGrid {
  readonly granularity: Granularity;
  /** Smallest and largest scale. */
  readonly scales: readonly [number, number];
  /** The largest ratio of a scale to the range of the values it scales; absent when all of each scale are equal. */
  readonly step?: number;
}

/** What a file holds of one tensor. */
export interface TensorInspection {
  readonly name: string;
  readonly shape: Shape;
  /** As the file calls it. */
  readonly dtype: string;
  /** Bits of information per element: those of the grid when it is quantized, else those of the dtype. */
  readonly bits: number;
  /** As stored; with the scales where the file keeps them with the tensor. */
  readonly bytes: number;
  readonly grid?: StoredGrid;
  /**
   * SQNR in dB that int8 codes, one scale per output channel, would have against the stored values; Infinity when nothing
   * would be lost. Absent for tensors that stay float, that are quantized already (their original is unknown), or that hold
   * NaN or ±Infinity.
   */
  readonly int8Sqnr?: number;
  /** Of the values that the stored ones mean. Absent for empty tensors and for dtypes that are not read. */
  readonly values?: ValueSummary;
}

/** What a model file holds. */
export interface Inspection {
  readonly tensors: readonly TensorInspection[];
  /** Of all files of the model. */
  readonly fileBytes: number;
}

/** The grid of codes that are stored with these scales and mean these values; `axis` with one scale per channel. */
export function storedGrid({ data, shape }: Tensor, scale: Float32Array, axis: number | undefined): StoredGrid {
  const granularity = axis === undefined ? "perTensor" : "perChannel";
  const scales = [scale.reduce((a, b) => Math.min(a, b)), scale.reduce((a, b) => Math.max(a, b))] as const;
  if (firstNonFinite(data) >= 0) return { granularity, scales };
  const { min, max } = minMax(data, axis === undefined ? {} : { shape, axis });
  const steps = Array.from(scale, (s, c) => s / (max[c] - min[c])).filter(Number.isFinite);
  return { granularity, scales, ...(steps.length > 0 ? { step: steps.reduce((a, b) => Math.max(a, b)) } : {}) };
}

/** SQNR of a float weight at 8 bits; undefined when it holds NaN or ±Infinity, or nothing. */
export function int8Sqnr(weight: Tensor, axis: WeightGrid["axis"]): number | undefined {
  if (weight.data.length === 0 || firstNonFinite(weight.data) >= 0) return undefined;
  const { data, params, shape } = quantizeWeight("inspect", weight, { bits: 8, granularity: "perChannel", axis });
  return sqnr(weight.data, dequantize(data, params, { shape }));
}
