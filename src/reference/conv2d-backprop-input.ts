import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Gradient of a 2D convolution for its input.
 *
 *     dx[n, y, x, c] = Σ dy[n, r, q, o] · w[i, j, c, o]   over i, j, o, where y = r·sh + i·dh − pt, x = q·sw + j·dw − pl
 *
 * dy [batch, outHeight, outWidth, outChannels], weights [kernelHeight, kernelWidth, inChannels, outChannels],
 * out [batch, inHeight, inWidth, inChannels]. Sums in float64, rounded once; kernels are within 1e-5 of it, relative to the
 * largest value.
 */
export function conv2dBackpropInput(
  dy: Float32Array,
  weights: Float32Array,
  geometry: ConvGeometry,
  out: Float32Array,
): void {
  const { inChannels, outChannels } = geometry;
  const sums = new Float64Array(out.length);
  forEachTap(geometry, (output, input, tap) => {
    for (let c = 0; c < inChannels; c++) {
      for (let o = 0; o < outChannels; o++) {
        sums[input * inChannels + c] +=
          dy[output * outChannels + o] * weights[(tap * inChannels + c) * outChannels + o];
      }
    }
  });
  out.set(sums);
}
