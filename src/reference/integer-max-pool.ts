import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Largest code under each window; padding takes no part. Input and output have the same parameters.
 *
 *     y[n, r, q, c] = clamp(max x[n, y, x, c] over the window, qmin, qmax)
 *
 * input [batch, inHeight, inWidth, channels], out [batch, outHeight, outWidth, channels], written.
 */
export function integerMaxPool(
  input: Int8Array,
  { qmin, qmax }: { readonly qmin: number; readonly qmax: number },
  geometry: ConvGeometry,
  out: Int8Array,
): void {
  const { inChannels: channels } = geometry;
  out.fill(qmin);
  forEachTap(geometry, (output, pixel) => {
    for (let c = 0; c < channels; c++) {
      const at = output * channels + c;
      out[at] = Math.max(out[at], Math.min(qmax, input[pixel * channels + c]));
    }
  });
}
