import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Gradient of a depthwise 2D convolution for its input.
 *
 *     dx[n, y, x, c] = Σ dy[n, r, q, c·multiplier + m] · w[i, j, c, m]   over i, j, m,
 *     where y = r·sh + i·dh − pt, x = q·sw + j·dw − pl
 *
 * dy [batch, outHeight, outWidth, inChannels · multiplier], weights [kernelHeight, kernelWidth, inChannels, multiplier],
 * out [batch, inHeight, inWidth, inChannels]. Sums in float64, rounded once; kernels are within 1e-5 of it, relative to the
 * largest value.
 */
export function depthwiseBackpropInput(
  dy: Float32Array,
  weights: Float32Array,
  geometry: ConvGeometry,
  out: Float32Array,
): void {
  const { inChannels, outChannels } = geometry;
  const multiplier = outChannels / inChannels;
  const sums = new Float64Array(out.length);
  forEachTap(geometry, (output, input, tap) => {
    for (let o = 0; o < outChannels; o++) {
      sums[input * inChannels + Math.floor(o / multiplier)] +=
        dy[output * outChannels + o] * weights[tap * outChannels + o];
    }
  });
  out.set(sums);
}
