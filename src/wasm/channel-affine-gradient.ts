import * as reference from "../reference/channel-affine-gradient.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";
import { checkRowSizes, type RowSizes } from "./row-sizes.js";

/**
 * Gradient of a factor and an offset for each channel: inputs dy, x [rows, channels], scale; outputs dx, dscale, dshift.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/channel-affine-gradient.ts.
 */
export function channelAffineGradientCall(sizes: RowSizes): KernelCall {
  checkRowSizes("channelAffineGradient", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels, rows * channels, channels],
    outputs: [rows * channels, channels, channels],
    words: NO_WORDS,
    scratchBytes: 48 * channels,
    run: (exports, { inputs: [dy, x, scale], outputs: [dx, dscale, dshift], scratch }) =>
      exports.channelAffineGradientF32(dy, x, scale, dx, dscale, dshift, rows, channels, scratch),
    reference: ([dy, x, scale], [dx, dscale, dshift]) =>
      reference.channelAffineGradient(dy, x, scale, dx, dscale, dshift),
  };
}
