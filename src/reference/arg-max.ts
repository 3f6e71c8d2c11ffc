import type { ChannelView } from "../core/shape.js";

/**
 * Index of the largest code along an axis, the first among equals.
 *
 * x [outer, channels, inner], out [outer, inner], written.
 */
export function argMax(x: Int8Array, { channels, inner }: ChannelView, out: Int32Array): void {
  for (let i = 0; i < out.length; i++) {
    const first = Math.floor(i / inner) * channels * inner + (i % inner);
    let best = 0;
    for (let c = 1; c < channels; c++) if (x[first + c * inner] > x[first + best * inner]) best = c;
    out[i] = best;
  }
}
