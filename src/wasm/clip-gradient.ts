import * as reference from "../reference/clip-gradient.js";
import { fl } from "../reference/rounding.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";

/**
 * Gradient of ReLU (lo 0, hi Infinity), ReLU6 (0, 6) and their like, over n elements: inputs dy, x; output dx.
 *
 * x is the input of the activation. lo and hi are rounded to float32. Errors: RangeError for lo that is not finite, or
 * hi < lo. Rule at the ends: src/reference/clip-gradient.ts.
 */
export function clipGradientCall(n: number, lo: number, hi: number): KernelCall {
  const [low, high] = [fl(lo), fl(hi)];
  if (!(Number.isFinite(low) && low <= high)) {
    throw new RangeError(`clipGradient: expected a finite lo ≤ hi, got lo ${lo}, hi ${hi}`);
  }
  return {
    inputs: [n, n],
    outputs: [n],
    words: NO_WORDS,
    scratchBytes: 0,
    run: (exports, { inputs: [dy, x], outputs: [dx] }) => exports.clipGradientF32(dy, x, dx, n, low, high),
    reference: ([dy, x], [dx]) => reference.clipGradient(dy, x, low, high, dx),
  };
}
