import type { GridOptions } from "../core/grid.js";
import { type QuantParams, resolveParams } from "../core/quant-params.js";
import { tensorView } from "../core/shape.js";
import { chooseQuantParams } from "./choose-quant-params.js";
import { fakeQuantize } from "./fake-quantize.js";
import { minMax } from "./min-max.js";
import { movingAverage } from "./moving-average.js";

/** How a moving range is updated. */
export interface MovingRangeStep {
  /** True for the first batch, which initialises the range. */
  readonly first: boolean;
  /** Weight of the past, in [0, 1). */
  readonly decay: number;
}

/**
 * Updates a moving range with one tensor, then rounds the tensor to the grid of the updated range.
 *
 * The composition of minMax, movingAverage, chooseQuantParams and fakeQuantize, in one pass over the state.
 * `range` is [min, max], updated in place; returns the parameters used, or undefined, with nothing changed, when x holds
 * NaN or ±Infinity. `out` may be x itself; `where` begins the message of errors. Source: Jacob et al. 2018, §3.1.
 */
export function observeFakeQuantize(
  x: Float32Array,
  range: Float32Array,
  { first, decay }: MovingRangeStep,
  options: GridOptions,
  out: Float32Array,
  where = "observeFakeQuantize",
): QuantParams | undefined {
  const min = new Float32Array(1);
  const max = new Float32Array(1);
  if (!minMax(x, tensorView(x.length), min, max)) return undefined;
  const batch = Float32Array.of(min[0], max[0]);
  const next = first ? batch : range.slice();
  if (!first) movingAverage(next, batch, decay);
  const params = chooseQuantParams({ min: next[0], max: next[1] }, options, where);
  fakeQuantize(x, resolveParams(where, params, x.length), out);
  range.set(next);
  return params;
}
