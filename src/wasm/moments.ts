import * as reference from "../reference/moments.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";
import { checkRowSizes, type RowSizes } from "./row-sizes.js";

/**
 * Mean and biased variance of each channel: input x [rows, channels]; outputs mean, variance.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/moments.ts.
 */
export function momentsCall(sizes: RowSizes): KernelCall {
  checkRowSizes("moments", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels],
    outputs: [channels, channels],
    words: NO_WORDS,
    scratchBytes: 32 * channels,
    run: (exports, { inputs: [x], outputs: [mean, variance], scratch }) =>
      exports.momentsF32(x, mean, variance, rows, channels, scratch),
    reference: ([x], [mean, variance]) => reference.moments(x, mean, variance),
  };
}
