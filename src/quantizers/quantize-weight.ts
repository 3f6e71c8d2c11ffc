import type { Granularity } from "../core/granularity.js";
import type { GridOptions } from "../core/grid.js";
import type { QuantizedTensor, Tensor } from "../core/tensor.js";
import { chooseQuantParams } from "../reference/choose-quant-params.js";
import { minMax } from "../wasm/min-max.js";
import { quantize } from "../wasm/quantize.js";

/** How one weight is quantized. */
export interface WeightGrid {
  /** 2…8. */
  readonly bits: number;
  readonly granularity: Granularity;
  /** Axis of the output channels; unused per tensor. */
  readonly axis: number;
}

/** The grid of weights in words: signed, symmetric and narrow. */
export function weightGridOptions(bits: number): GridOptions {
  return { bits, signed: true, narrowRange: true, symmetric: true };
}

/**
 * Quantizes one weight to the signed, symmetric, narrow grid: codes in [−(2^(bits−1) − 1), 2^(bits−1) − 1], zero point 0.
 *
 * `where` begins the message of every error, so that it names the tensor.
 * Errors: QuantError `non-finite`, naming the first index, for NaN or ±Infinity; RangeError for bits outside 2…8.
 */
export function quantizeWeight(where: string, { data, shape }: Tensor, grid: WeightGrid): QuantizedTensor {
  const { bits, granularity, axis } = grid;
  const options = weightGridOptions(bits);
  if (granularity === "perTensor") {
    const { min, max } = minMax(data, {}, where);
    const params = chooseQuantParams({ min: min[0], max: max[0] }, options, where);
    return { data: quantize(data, params), shape, params };
  }
  const params = { ...chooseQuantParams(minMax(data, { shape, axis }, where), options, where), axis };
  return { data: quantize(data, params, { shape }), shape, params };
}
