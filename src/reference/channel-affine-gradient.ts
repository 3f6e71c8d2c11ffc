import { fl } from "./rounding.js";
import { rowSum } from "./row-sums.js";

/**
 * Gradient of a factor and an offset for each channel.
 *
 *     dx = fl(dy · scale),   dscale = Σ fl(dy · x),   dshift = Σ dy             sums as in row-sums
 *
 * dy, x and dx are [rows, channels], the others [channels]. `dx` may be dy or x.
 */
export function channelAffineGradient(
  dy: Float32Array,
  x: Float32Array,
  scale: Float32Array,
  dx: Float32Array,
  dscale: Float32Array,
  dshift: Float32Array,
): void {
  const channels = scale.length;
  const rows = x.length / channels;
  for (let c = 0; c < channels; c++) {
    dscale[c] = rowSum(rows, (row) => fl(dy[row * channels + c] * x[row * channels + c]));
    dshift[c] = rowSum(rows, (row) => dy[row * channels + c]);
  }
  for (let i = 0; i < x.length; i++) dx[i] = dy[i] * scale[i % channels];
}
