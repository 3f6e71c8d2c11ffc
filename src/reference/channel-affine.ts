import { fl } from "./rounding.js";

/**
 * A factor and an offset for each channel.
 *
 *     y = fl(fl(x · scale) + shift)
 *
 * x and y are [rows, channels], scale and shift [channels]. `y` may be x.
 */
export function channelAffine(x: Float32Array, scale: Float32Array, shift: Float32Array, y: Float32Array): void {
  const channels = scale.length;
  for (let i = 0; i < x.length; i++) y[i] = fl(x[i] * scale[i % channels]) + shift[i % channels];
}
