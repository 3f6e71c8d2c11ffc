import { rowSum } from "./row-sums.js";

/**
 * Gradient of a bias: the sum over rows.
 *
 *     dbias = Σ dy                                                              per channel; sums as in row-sums
 *
 * dy is [rows, channels], dbias [channels].
 */
export function biasGradient(dy: Float32Array, dbias: Float32Array): void {
  const channels = dbias.length;
  for (let c = 0; c < channels; c++) dbias[c] = rowSum(dy.length / channels, (row) => dy[row * channels + c]);
}
