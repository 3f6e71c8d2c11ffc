import * as reference from "../reference/channel-affine.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";
import { checkRowSizes, type RowSizes } from "./row-sizes.js";

/**
 * A factor and an offset for each channel: inputs x [rows, channels], scale, shift; output y.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/channel-affine.ts.
 */
export function channelAffineCall(sizes: RowSizes): KernelCall {
  checkRowSizes("channelAffine", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels, channels, channels],
    outputs: [rows * channels],
    words: NO_WORDS,
    scratchBytes: 32 * channels,
    run: (exports, { inputs: [x, scale, shift], outputs: [y], scratch }) =>
      exports.channelAffineF32(x, scale, shift, y, rows, channels, scratch),
    reference: ([x, scale, shift], [y]) => reference.channelAffine(x, scale, shift, y),
  };
}
