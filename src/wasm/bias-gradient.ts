import * as reference from "../reference/bias-gradient.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";
import { checkRowSizes, type RowSizes } from "./row-sizes.js";

/**
 * Gradient of a bias: input dy [rows, channels]; output dbias.
 *
 * Errors: RangeError for bad sizes. Equation: src/reference/bias-gradient.ts.
 */
export function biasGradientCall(sizes: RowSizes): KernelCall {
  checkRowSizes("biasGradient", sizes);
  const { rows, channels } = sizes;
  return {
    inputs: [rows * channels],
    outputs: [channels],
    words: NO_WORDS,
    scratchBytes: 16 * channels,
    run: (exports, { inputs: [dy], outputs: [dbias], scratch }) =>
      exports.biasGradientF32(dy, dbias, rows, channels, scratch),
    reference: ([dy], [dbias]) => reference.biasGradient(dy, dbias),
  };
}
