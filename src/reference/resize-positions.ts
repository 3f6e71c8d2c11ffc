import type { RoundingRule } from "../core/rounding-rule.js";
import { fl, roundTiesToEven } from "./rounding.js";

/** How the pixels of two images of different size lie over each other. */
export interface ResizeRule {
  /** The corners' pixels have the same centers. */
  readonly alignCorners: boolean;
  /** Pixel i covers [i, i + 1], its center is i + ½. */
  readonly halfPixelCenters: boolean;
}

/** One axis of a bilinear resize: output pixel i lies between input pixels lower[i] and upper[i]. */
export interface ResizeAxis {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Of the upper pixel, in steps of 2^−bits; the lower one has the rest. */
  readonly weight: Int32Array;
}

/** Steps of the weights: 2^−10, and 2^−11 in XNNPACK. */
export function resizeBits(rounding: RoundingRule): number {
  return rounding === "float32" ? 11 : 10;
}

/**
 * Where the output pixels of one axis lie.
 *
 *     integer, float32   p = clamp(i·s, 0, in − 1), or (i + ½)·s − ½;  s = in/out, or (in − 1)/(out − 1) between aligned corners;
 *                        lower = ⌊p⌋, weight = rne((p − lower)·2^bits)                             (float64)
 *     tflite             p = i·s, or i·s + ⌊s/2⌋ − 2^9;  s = ⌊(in·2^10 + ⌊out/2⌋)/out⌋ in steps of 2^−10, or of in − 1 and out − 1;
 *                        lower = max(trunc(p/2^10), 0), weight = p − lower·2^10; the last pixel from p = in·2^10 on
 */
export function resizeAxis(inSize: number, outSize: number, rule: ResizeRule, rounding: RoundingRule): ResizeAxis {
  const at = rounding === "tflite" ? positionInSteps : exactPosition;
  const positions = Array.from({ length: outSize }, (_, i) => at(i, inSize, outSize, rule, resizeBits(rounding)));
  return {
    lower: Int32Array.from(positions, ({ lower }) => lower),
    upper: Int32Array.from(positions, ({ upper }) => upper),
    weight: Int32Array.from(positions, ({ weight }) => weight),
  };
}

interface Position {
  readonly lower: number;
  readonly upper: number;
  readonly weight: number;
}

/** Input and output sizes, in pixels or in distances between the corners' centers. */
function spans(inSize: number, outSize: number, { alignCorners }: ResizeRule): readonly [number, number] {
  return alignCorners && outSize > 1 ? [inSize - 1, outSize - 1] : [inSize, outSize];
}

function exactPosition(i: number, inSize: number, outSize: number, rule: ResizeRule, bits: number): Position {
  const [from, to] = spans(inSize, outSize, rule);
  const center = rule.halfPixelCenters ? ((i + 0.5) * from) / to - 0.5 : (i * from) / to;
  const position = Math.max(0, Math.min(inSize - 1, center));
  const lower = Math.floor(position);
  return { lower, upper: Math.min(lower + 1, inSize - 1), weight: roundTiesToEven((position - lower) * 2 ** bits) };
}

function positionInSteps(i: number, inSize: number, outSize: number, rule: ResizeRule, bits: number): Position {
  const [from, to] = spans(inSize, outSize, rule);
  const unit = 2 ** bits;
  const scale = Math.floor((unit * from + Math.floor(to / 2)) / to);
  const position = i * scale + (rule.halfPixelCenters ? Math.floor(scale / 2) - unit / 2 : 0);
  const last = inSize - 1;
  // Where a side grows a thousandfold, steps add up to more than the image, and TensorFlow Lite reads on behind it.
  if (position >= inSize * unit) return { lower: last, upper: last, weight: 0 };
  const lower = Math.max(0, Math.trunc(position / unit));
  const upper = Math.min(Math.trunc((position + unit - 1) / unit), last);
  return { lower, upper, weight: position - lower * unit };
}

/** Input pixel nearest to output pixel i; the position in float32, as TensorFlow Lite finds it. */
export function nearestPixel(i: number, inSize: number, outSize: number, rule: ResizeRule): number {
  const [from, to] = spans(inSize, outSize, rule);
  const position = fl(fl(i + (rule.halfPixelCenters ? 0.5 : 0)) * fl(from / to));
  return Math.min(rule.alignCorners ? Math.round(position) : Math.floor(position), inSize - 1);
}
