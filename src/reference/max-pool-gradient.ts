import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Gradient of 2D max pooling.
 *
 *     dx[n, y, x, c] = Σ dy[n, r, q, c]   over the windows (r, q) whose winner is (y, x)
 *
 * The winner is the first element of the window, row by row, that is greater than all before it, beginning at −Infinity: of
 * equal ones the first; NaN never; a window of NaN and −Infinity has none. Padding takes no part. This is the rule of the
 * tfjs cpu backend. Sums in float32, in the order of the windows.
 *
 * dy [batch, outHeight, outWidth, channels], x and out [batch, inHeight, inWidth, channels].
 */
export function maxPoolGradient(dy: Float32Array, x: Float32Array, geometry: ConvGeometry, out: Float32Array): void {
  const { inChannels: channels } = geometry;
  const winners = new Int32Array(dy.length).fill(-1);
  const greatest = new Float32Array(dy.length).fill(Number.NEGATIVE_INFINITY);
  forEachTap(geometry, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const value = x[input * channels + c];
      const window = output * channels + c;
      if (value > greatest[window]) {
        greatest[window] = value;
        winners[window] = input * channels + c;
      }
    }
  });
  out.fill(0);
  for (const [window, winner] of winners.entries()) {
    if (winner >= 0) out[winner] += dy[window];
  }
}
