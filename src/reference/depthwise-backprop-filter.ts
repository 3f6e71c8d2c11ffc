import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Gradient of a depthwise 2D convolution for its weights.
 *
 *     dw[i, j, c, m] = Σ x[n, r·sh + i·dh − pt, q·sw + j·dw − pl, c] · dy[n, r, q, c·multiplier + m]   over n, r, q
 *
 * x [batch, inHeight, inWidth, inChannels], dy [batch, outHeight, outWidth, inChannels · multiplier],
 * out [kernelHeight, kernelWidth, inChannels, multiplier]. Sums in float64, rounded once; kernels are within 1e-5 of it,
 * relative to the largest value.
 */
export function depthwiseBackpropFilter(
  x: Float32Array,
  dy: Float32Array,
  geometry: ConvGeometry,
  out: Float32Array,
): void {
  const { inChannels, outChannels } = geometry;
  const multiplier = outChannels / inChannels;
  const sums = new Float64Array(out.length);
  forEachTap(geometry, (output, input, tap) => {
    for (let o = 0; o < outChannels; o++) {
      sums[tap * outChannels + o] += x[input * inChannels + Math.floor(o / multiplier)] * dy[output * outChannels + o];
    }
  });
  out.set(sums);
}
