import { unitGrid } from "../core/unit-grid.js";
import { noiseAt } from "./gradient-noise.js";
import { largestMagnitude } from "./largest-magnitude.js";
import { fl, roundTiesToEven } from "./rounding.js";

/** How many samples, and where their noise comes from. */
export interface GradientBatch {
  /** Number of samples; each has a maximum of its own. */
  readonly batch: number;
  /** noiseKey of the tensor and step. */
  readonly key: number;
  /** Index of the first element, mod 2^32. */
  readonly first: number;
}

/**
 * Rounds gradients to 1…16 bits with noise that makes the rounding right on average.
 *
 *     m = max|dr| of the sample,  v = fl(fl(fl(dr/m) · n/2) + n/2),  r = rne(v),  n = 2^k − 1
 *     code = r + rne(fl(fl(v − r) + σ)),  y = fl(fl((2·code − n) · fl(1/n)) · m),  σ = noiseAt(key, first + i)
 *
 * This is rne(v + σ) of eq. 7 with the noise added where a float has room for all its bits: values on the grid, the ends
 * among them, stay as they are, and no clamp is needed. Ties to even. A sample of zeros gives zeros.
 * Returns false, with `out` untouched, for NaN or ±Infinity. `out` may be dr.
 * Source: Zhou et al. 2016, eq. 7.
 */
export function dorefaGradients(
  dr: Float32Array,
  bits: number,
  { batch, key, first }: GradientBatch,
  out: Float32Array,
): boolean {
  const { scale, qmax } = unitGrid(bits);
  if (largestMagnitude(dr) === undefined) return false;
  const size = dr.length / batch;
  for (let start = 0; start < dr.length; start += size) {
    const m = largestMagnitude(dr.subarray(start, start + size)) as number;
    for (let i = start; i < start + size; i++) {
      const v = fl(fl(fl(dr[i] / m) * (qmax / 2)) + qmax / 2);
      const r = roundTiesToEven(v);
      const code = r + roundTiesToEven(fl(fl(v - r) + noiseAt(key, first + i)));
      out[i] = m === 0 ? 0 : fl(fl((2 * code - qmax) * scale) * m);
    }
  }
  return true;
}
