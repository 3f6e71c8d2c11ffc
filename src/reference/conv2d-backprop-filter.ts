import type { ConvGeometry } from "../core/conv-geometry.js";
import { forEachTap } from "./window-positions.js";

/**
 * Gradient of a 2D convolution for its weights.
 *
 *     dw[i, j, c, o] = Σ x[n, r·sh + i·dh − pt, q·sw + j·dw − pl, c] · dy[n, r, q, o]   over n, r, q
 *
 * x [batch, inHeight, inWidth, inChannels], dy [batch, outHeight, outWidth, outChannels],
 * out [kernelHeight, kernelWidth, inChannels, outChannels]. Sums in float64, rounded once; kernels are within 1e-5 of it,
 * relative to the largest value.
 */
export function conv2dBackpropFilter(
  x: Float32Array,
  dy: Float32Array,
  geometry: ConvGeometry,
  out: Float32Array,
): void {
  const { inChannels, outChannels } = geometry;
  const sums = new Float64Array(out.length);
  forEachTap(geometry, (output, input, tap) => {
    for (let c = 0; c < inChannels; c++) {
      for (let o = 0; o < outChannels; o++) {
        sums[(tap * inChannels + c) * outChannels + o] += x[input * inChannels + c] * dy[output * outChannels + o];
      }
    }
  });
  out.set(sums);
}
