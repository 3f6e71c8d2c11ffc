import type { ResizeSizes } from "./integer-resize-bilinear.js";
import { nearestPixel, type ResizeRule } from "./resize-positions.js";

/**
 * Resize to the nearest pixel, codes untouched.
 *
 *     y[n, r, q, c] = x[n, nearest(r), nearest(q), c]
 *
 * input [batch, inHeight, inWidth, inChannels], out [batch, outHeight, outWidth, inChannels], written.
 */
export function resizeNearest(
  input: Int8Array,
  rule: ResizeRule,
  { batch, inHeight, inWidth, inChannels: channels, outHeight, outWidth }: ResizeSizes,
  out: Int8Array,
): void {
  for (let pixel = 0; pixel < batch * outHeight * outWidth; pixel++) {
    const row = Math.floor(pixel / outWidth);
    const y = nearestPixel(row % outHeight, inHeight, outHeight, rule);
    const x = nearestPixel(pixel % outWidth, inWidth, outWidth, rule);
    const from = ((Math.floor(row / outHeight) * inHeight + y) * inWidth + x) * channels;
    out.set(input.subarray(from, from + channels), pixel * channels);
  }
}
