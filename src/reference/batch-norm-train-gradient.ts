import { fl } from "./rounding.js";
import { rowSum } from "./row-sums.js";

/**
 * Gradient of batch normalization as in training, through the moments of the batch.
 *
 *     r      = fl(1 / fl(√fl(variance + epsilon)))                              per channel
 *     dbeta  = Σ dy,   dgamma = fl(Σ fl(dy · fl(x − mean)) · r)                 sums as in row-sums
 *     dx     = fl(fl(gamma · r) · fl(fl(dy − fl(dbeta / rows)) − fl(fl(x − mean) · fl(fl(dgamma · r) / rows))))
 *
 * dy, x and dx are [rows, channels], the others [channels]; mean and variance as batchNormTrain gave them; epsilon a
 * float32. `dx` may be dy or x. Source: Ioffe & Szegedy 2015, §3.
 */
export function batchNormTrainGradient(
  dy: Float32Array,
  x: Float32Array,
  gamma: Float32Array,
  mean: Float32Array,
  variance: Float32Array,
  epsilon: number,
  dx: Float32Array,
  dgamma: Float32Array,
  dbeta: Float32Array,
): void {
  const channels = gamma.length;
  const rows = x.length / channels;
  for (let c = 0; c < channels; c++) {
    const centred = (row: number): number => fl(x[row * channels + c] - mean[c]);
    const r = fl(1 / fl(Math.sqrt(fl(variance[c] + epsilon))));
    dbeta[c] = rowSum(rows, (row) => dy[row * channels + c]);
    dgamma[c] = rowSum(rows, (row) => fl(dy[row * channels + c] * centred(row))) * r;
    const k = fl(gamma[c] * r);
    const shift = fl(dbeta[c] / fl(rows));
    const slope = fl(fl(dgamma[c] * r) / fl(rows));
    for (let row = 0; row < rows; row++) {
      const at = row * channels + c;
      dx[at] = fl(k * fl(fl(dy[at] - shift) - fl(centred(row) * slope)));
    }
  }
}
