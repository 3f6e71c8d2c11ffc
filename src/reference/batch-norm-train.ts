import { fl } from "./rounding.js";
import { rowSum } from "./row-sums.js";

/**
 * Batch normalization as in training: by the moments of the batch itself.
 *
 *     mean = fl(Σ x / rows),   variance = fl(Σ fl((x − mean)²) / rows)          per channel, biased; sums as in row-sums
 *     k    = fl(gamma · fl(1 / fl(√fl(variance + epsilon))))
 *     y    = fl(fl(fl(x − mean) · k) + beta)
 *
 * x and y are [rows, channels], the others [channels]; rows > 0, epsilon a float32. `y` may be x.
 * Source: Ioffe & Szegedy 2015, algorithm 1.
 */
export function batchNormTrain(
  x: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  epsilon: number,
  y: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
): void {
  const channels = gamma.length;
  const rows = x.length / channels;
  for (let c = 0; c < channels; c++) {
    const centred = (row: number): number => fl(x[row * channels + c] - mean[c]);
    mean[c] = rowSum(rows, (row) => x[row * channels + c]) / fl(rows);
    variance[c] = rowSum(rows, (row) => fl(centred(row) * centred(row))) / fl(rows);
    const k = fl(gamma[c] * fl(1 / fl(Math.sqrt(fl(variance[c] + epsilon)))));
    for (let row = 0; row < rows; row++) y[row * channels + c] = fl(fl(centred(row) * k) + beta[c]);
  }
}
