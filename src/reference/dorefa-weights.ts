import { unitGrid } from "../core/unit-grid.js";
import { largestMagnitude } from "./largest-magnitude.js";
import { fl, roundTiesToEven } from "./rounding.js";
import { rowSum } from "./row-sums.js";
import { tanh } from "./tanh.js";

/**
 * Rounds weights to 1…16 bits.
 *
 *     1 bit:   y = E where w ≥ 0, else −E,  E = fl(Σ|w| / n)
 *     k bits:  code = rne(fl(fl(fl(tanh(w) / tanh(max|w|)) · n/2) + n/2)),  y = fl((2·code − n) · fl(1/n)),  n = 2^k − 1
 *
 * Rounding: as written, ties to even; the sum as in row-sums. ±0 counts as positive. Where all weights are 0, E is 0 and so is
 * the quotient: code 2^(k−1), y = fl(1/n). Returns false, with `out` untouched, for NaN or ±Infinity in w. `out` may be w.
 * Source: Zhou et al. 2016, eq. 4 and 5.
 */
export function dorefaWeights(w: Float32Array, bits: number, out: Float32Array): boolean {
  const largest = largestMagnitude(w);
  if (largest === undefined) return false;
  if (bits === 1) {
    const mean = fl(rowSum(w.length, (i) => Math.abs(w[i])) / fl(w.length));
    for (let i = 0; i < w.length; i++) out[i] = w[i] >= 0 ? mean : -mean;
    return true;
  }
  const { scale, qmax } = unitGrid(bits);
  const limit = largest === 0 ? 1 : tanh(largest);
  for (let i = 0; i < w.length; i++) {
    const quotient = fl(tanh(w[i]) / limit);
    const code = roundTiesToEven(fl(fl(quotient * (qmax / 2)) + qmax / 2));
    out[i] = fl((2 * code - qmax) * scale);
  }
  return true;
}
