import type { ConvGeometry } from "../core/conv-geometry.js";
import { biasRows, type IntegerLinear, requantizeRows } from "./integer-linear.js";
import { forEachTap } from "./window-positions.js";

/**
 * 2D convolution of codes.
 *
 *     acc[n, r, q, o] = bias[o] + Σ (x[n, y, x, c] − inputZeroPoint) · w[o, i, j, c]   over i, j, c,
 *     where y = r·sh + i·dh − pt, x = q·sw + j·dw − pl;   out = requantize(acc)
 *
 * input [batch, inHeight, inWidth, inChannels], weights [outChannels, kernelHeight, kernelWidth, inChannels], out [batch, outHeight,
 * outWidth, outChannels], written. Padding holds the input's zero point and so adds nothing.
 * Overflow: none where |bias| + Σ|w|·255 < 2^31 per channel, which the maker of the graph proves.
 * Source: Jacob et al. 2018, eq. 7.
 */
export function integerConv2d(
  input: Int8Array,
  { weights, bias, inputZeroPoint, requantization }: IntegerLinear,
  geometry: ConvGeometry,
  out: Int8Array,
): void {
  const { inChannels, outChannels, kernelHeight, kernelWidth } = geometry;
  const depth = kernelHeight * kernelWidth * inChannels;
  const sums = biasRows(out.length / outChannels, outChannels, bias);
  forEachTap(geometry, (output, pixel, tap) => {
    const x = pixel * inChannels;
    for (let o = 0; o < outChannels; o++) {
      const w = o * depth + tap * inChannels;
      let acc = sums[output * outChannels + o];
      for (let c = 0; c < inChannels; c++) acc += (input[x + c] - inputZeroPoint) * weights[w + c];
      sums[output * outChannels + o] = acc;
    }
  });
  requantizeRows(sums, requantization, outChannels, out);
}
