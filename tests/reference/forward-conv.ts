import type { ConvGeometry } from "../../src/core/conv-geometry.js";

/**
 * The forward convolution that the gradients belong to, in float64 and gathered per output: independent of src/reference.
 *
 * `weightOf(i, j, c, o)` is 0 where input channel c does not reach output channel o.
 */
export function forwardConv(
  x: ArrayLike<number>,
  geometry: ConvGeometry,
  weightOf: (i: number, j: number, c: number, o: number) => number,
): Float64Array {
  const g = geometry;
  const pixel = (n: number, y: number, column: number, c: number): number =>
    y < 0 || y >= g.inHeight || column < 0 || column >= g.inWidth
      ? 0
      : x[((n * g.inHeight + y) * g.inWidth + column) * g.inChannels + c];
  const out = new Float64Array(g.batch * g.outHeight * g.outWidth * g.outChannels);
  let at = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let r = 0; r < g.outHeight; r++) {
      for (let q = 0; q < g.outWidth; q++) {
        for (let o = 0; o < g.outChannels; o++, at++) {
          for (let i = 0; i < g.kernelHeight; i++) {
            for (let j = 0; j < g.kernelWidth; j++) {
              const y = r * g.strideHeight + i * g.dilationHeight - g.padTop;
              const column = q * g.strideWidth + j * g.dilationWidth - g.padLeft;
              for (let c = 0; c < g.inChannels; c++) out[at] += pixel(n, y, column, c) * weightOf(i, j, c, o);
            }
          }
        }
      }
    }
  }
  return out;
}

/** The weights [kh, kw, in, out] of a convolution. */
export function denseWeights(weights: ArrayLike<number>, { kernelWidth, inChannels, outChannels }: ConvGeometry) {
  return (i: number, j: number, c: number, o: number): number =>
    weights[((i * kernelWidth + j) * inChannels + c) * outChannels + o];
}

/** The weights [kh, kw, in, multiplier] of a depthwise convolution. */
export function depthwiseWeights(weights: ArrayLike<number>, { kernelWidth, inChannels, outChannels }: ConvGeometry) {
  const multiplier = outChannels / inChannels;
  return (i: number, j: number, c: number, o: number): number =>
    Math.floor(o / multiplier) === c
      ? weights[((i * kernelWidth + j) * inChannels + c) * multiplier + (o % multiplier)]
      : 0;
}
