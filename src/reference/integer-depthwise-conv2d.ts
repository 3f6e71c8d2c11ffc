import type { ConvGeometry } from "../core/conv-geometry.js";
import { biasRows, type IntegerLinear, requantizeRows } from "./integer-linear.js";
import { forEachTap } from "./window-positions.js";

/**
 * Depthwise 2D convolution of codes: output channel o reads input channel ⌊o / multiplier⌋.
 *
 *     acc[n, r, q, o] = bias[o] + Σ (x[n, y, x, ⌊o / multiplier⌋] − inputZeroPoint) · w[i, j, o]   over i, j,
 *     where y = r·sh + i·dh − pt, x = q·sw + j·dw − pl;   out = requantize(acc)
 *
 * input [batch, inHeight, inWidth, inChannels], weights [kernelHeight, kernelWidth, outChannels], out [batch, outHeight, outWidth,
 * outChannels], written; outChannels = inChannels · multiplier. Padding holds the input's zero point and so adds nothing.
 * Overflow: as integerConv2d.
 */
export function integerDepthwiseConv2d(
  input: Int8Array,
  { weights, bias, inputZeroPoint, requantization }: IntegerLinear,
  geometry: ConvGeometry,
  out: Int8Array,
): void {
  const { inChannels, outChannels } = geometry;
  const multiplier = outChannels / inChannels;
  const sums = biasRows(out.length / outChannels, outChannels, bias);
  forEachTap(geometry, (output, pixel, tap) => {
    for (let c = 0; c < inChannels; c++) {
      const x = input[pixel * inChannels + c] - inputZeroPoint;
      for (let o = c * multiplier; o < (c + 1) * multiplier; o++) {
        sums[output * outChannels + o] += x * weights[tap * outChannels + o];
      }
    }
  });
  requantizeRows(sums, requantization, outChannels, out);
}
