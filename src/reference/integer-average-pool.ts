import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Average of the codes under each window; padding takes no part. Input and output have the same parameters.
 *
 *     y[n, r, q, c] = clamp(trunc((acc + sign(acc)·⌊n/2⌋) / n), qmin, qmax),   acc = Σ x over the n pixels of the window on the image
 *
 * Rounding: to nearest, ties away from code 0; a window on no pixel gives code 0. Overflow: none below 2^24 pixels.
 * input [batch, inHeight, inWidth, channels], out [batch, outHeight, outWidth, channels], written.
 * Source: TensorFlow Lite, AveragePool.
 */
export function integerAveragePool(
  input: Int8Array,
  { qmin, qmax }: { readonly qmin: number; readonly qmax: number },
  geometry: ConvGeometry,
  out: Int8Array,
): void {
  const { inChannels: channels } = geometry;
  const sums = new Int32Array(out.length);
  const pixels = new Int32Array(out.length / channels);
  forEachTap(geometry, (output, pixel) => {
    pixels[output]++;
    for (let c = 0; c < channels; c++) sums[output * channels + c] += input[pixel * channels + c];
  });
  for (let i = 0; i < out.length; i++) {
    const n = pixels[Math.floor(i / channels)];
    const average = n === 0 ? 0 : Math.trunc((sums[i] + Math.sign(sums[i]) * Math.floor(n / 2)) / n);
    out[i] = Math.max(qmin, Math.min(qmax, average));
  }
}
