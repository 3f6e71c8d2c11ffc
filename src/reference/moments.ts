import { fl } from "./rounding.js";
import { rowSum } from "./row-sums.js";

/**
 * Mean and variance of each channel.
 *
 *     mean = fl(Σ x / rows),   variance = fl(Σ fl((x − mean)²) / rows)          biased; sums as in row-sums
 *
 * x is [rows, channels], rows > 0, the others [channels].
 */
export function moments(x: Float32Array, mean: Float32Array, variance: Float32Array): void {
  const channels = mean.length;
  const rows = x.length / channels;
  for (let c = 0; c < channels; c++) {
    const centred = (row: number): number => fl(x[row * channels + c] - mean[c]);
    mean[c] = rowSum(rows, (row) => x[row * channels + c]) / fl(rows);
    variance[c] = rowSum(rows, (row) => fl(centred(row) * centred(row))) / fl(rows);
  }
}
