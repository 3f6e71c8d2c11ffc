import type { ChannelView } from "../core/shape.js";

/**
 * Smallest and largest value of each channel.
 *
 * `min` and `max` have one entry per channel. Zeros come out as +0. Returns false, with the outputs undefined, when x
 * holds NaN or ±Infinity. x must not be empty.
 */
export function minMax(x: Float32Array, view: ChannelView, min: Float32Array, max: Float32Array): boolean {
  min.fill(Number.POSITIVE_INFINITY);
  max.fill(Number.NEGATIVE_INFINITY);
  let finite = true;
  for (let i = 0; i < x.length; i++) {
    const c = Math.floor(i / view.inner) % view.channels;
    const value = x[i] + 0;
    finite &&= Number.isFinite(value);
    if (value < min[c]) min[c] = value;
    if (value > max[c]) max[c] = value;
  }
  return finite;
}
