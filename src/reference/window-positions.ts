import type { ConvGeometry } from "../core/conv-geometry.js";

/**
 * Visits every pair of an output pixel and an input pixel under one of its taps, padding left out.
 *
 * In the order n, r, q, i, j; `output` = (n·outHeight + r)·outWidth + q, `input` likewise, `tap` = i·kernelWidth + j.
 */
export function forEachTap(geometry: ConvGeometry, visit: (output: number, input: number, tap: number) => void): void {
  const g = geometry;
  for (let n = 0; n < g.batch; n++) {
    for (let r = 0; r < g.outHeight; r++) {
      for (let q = 0; q < g.outWidth; q++) {
        for (let i = 0; i < g.kernelHeight; i++) {
          const y = r * g.strideHeight + i * g.dilationHeight - g.padTop;
          if (y < 0 || y >= g.inHeight) continue;
          for (let j = 0; j < g.kernelWidth; j++) {
            const x = q * g.strideWidth + j * g.dilationWidth - g.padLeft;
            if (x < 0 || x >= g.inWidth) continue;
            visit((n * g.outHeight + r) * g.outWidth + q, (n * g.inHeight + y) * g.inWidth + x, i * g.kernelWidth + j);
          }
        }
      }
    }
  }
}
