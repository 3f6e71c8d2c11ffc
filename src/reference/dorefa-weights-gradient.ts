import { largestMagnitude } from "./largest-magnitude.js";
import { fl } from "./rounding.js";
import { rowSum } from "./row-sums.js";
import { tanh } from "./tanh.js";

/**
 * Gradient of dorefaWeights for 2 bits and more: straight through the rounding, through tanh and the maximum as they are.
 *
 *     T = tanh(max|w|),  t = tanh(w),  d = fl(fl(1 − t) · fl(1 + t))
 *     dw = fl(fl(dy·d) / T), and where |w| is the maximum, less sign(w) · fl(fl(fl(fl(Σ fl(dy·t) / T) / T) · d) / count)
 *
 * Without the rounding y is tanh(w)/T. `count` elements have |w| = max|w|; they share alike what flows through the maximum, as
 * in PyTorch. Only zeros in w: zeros. The sum as in row-sums. NaN in dy spreads; returns false, with `out` untouched, for
 * NaN or ±Infinity in w. `out` may be dy.
 * Source: Zhou et al. 2016, eq. 5.
 */
export function dorefaWeightsGradient(dy: Float32Array, w: Float32Array, out: Float32Array): boolean {
  const largest = largestMagnitude(w);
  if (largest === undefined) return false;
  if (largest === 0) {
    out.fill(0);
    return true;
  }
  const limit = tanh(largest);
  const slope = (t: number): number => fl(fl(1 - t) * fl(1 + t));
  const sum = rowSum(w.length, (i) => fl(dy[i] * tanh(w[i])));
  const count = w.reduce((sofar, value) => sofar + (Math.abs(value) === largest ? 1 : 0), 0);
  const share = fl(fl(fl(fl(sum / limit) / limit) * slope(limit)) / count);
  for (let i = 0; i < w.length; i++) {
    const straight = fl(fl(dy[i] * slope(tanh(w[i]))) / limit);
    out[i] = Math.abs(w[i]) === largest ? fl(straight - Math.sign(w[i]) * share) : straight;
  }
  return true;
}
