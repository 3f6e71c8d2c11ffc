import type { ConvGeometry } from "../core/conv-geometry.js";
import type { ResizeAxis } from "./resize-positions.js";
import { roundTiesAway, roundTiesUp } from "./rounding.js";

/** Sizes of an image before and after, NHWC. */
export type ResizeSizes = Pick<
  ConvGeometry,
  "batch" | "inHeight" | "inWidth" | "inChannels" | "outHeight" | "outWidth"
>;

/** Where the pixels lie along both axes, and how the weighted sum of codes is rounded. */
export interface BilinearRule {
  readonly rows: ResizeAxis;
  readonly columns: ResizeAxis;
  /** Weights are in steps of 2^−bits. */
  readonly bits: number;
  readonly ties: "up" | "away";
}

/**
 * Bilinear resize of codes. Input and output have the same parameters.
 *
 *     y[n, r, q, c] = round(Σ wy·wx·x[n, y, x, c] / 2^(2·bits))   over the four pixels around (r, q), wy + wy' = wx + wx' = 2^bits
 *
 * Rounding: once, ties up, or away from code 0. Overflow: none, |sum| ≤ 2^(7 + 2·bits) ≤ 2^29.
 * input [batch, inHeight, inWidth, inChannels], out [batch, outHeight, outWidth, inChannels], written.
 */
export function integerResizeBilinear(
  input: Int8Array,
  { rows, columns, bits, ties }: BilinearRule,
  { batch, inHeight, inWidth, inChannels: channels, outHeight, outWidth }: ResizeSizes,
  out: Int8Array,
): void {
  const round = ties === "up" ? roundTiesUp : roundTiesAway;
  const unit = 2 ** bits;
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < outHeight; r++) {
      const top = (n * inHeight + rows.lower[r]) * inWidth;
      const bottom = (n * inHeight + rows.upper[r]) * inWidth;
      const wy = rows.weight[r];
      for (let q = 0; q < outWidth; q++) {
        const [left, right, wx] = [columns.lower[q], columns.upper[q], columns.weight[q]];
        for (let c = 0; c < channels; c++, at++) {
          const pixel = (index: number): number => input[index * channels + c];
          const upper = pixel(top + left) * (unit - wx) + pixel(top + right) * wx;
          const lower = pixel(bottom + left) * (unit - wx) + pixel(bottom + right) * wx;
          out[at] = round((upper * (unit - wy) + lower * wy) / (unit * unit));
        }
      }
    }
  }
}
