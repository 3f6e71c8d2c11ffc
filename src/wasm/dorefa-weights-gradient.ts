import { checkUnitBits, UNTOUCHED_BITS } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-weights-gradient.js";
import { checkFloats, checkLength, type OutOption } from "./arguments.js";
import { type CheckedCall, copied, runChecked } from "./checked-call.js";
import { NO_WORDS } from "./kernel-call.js";

/** dorefaWeightsGradient of `length` values, 2 bits or more, but not 32: inputs dy, w; output dw. */
export function dorefaWeightsGradientCall(length: number): CheckedCall {
  const found = { finite: true };
  return {
    found,
    inputs: [length, length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 128,
    direct: true,
    run: (exports, { inputs: [dy, w], outputs: [dw], scratch }) => {
      found.finite = exports.dorefaWeightsGradientF32(dy, w, dw, length, scratch) === 1;
    },
    reference: ([dy, w], [dw]) => {
      found.finite = reference.dorefaWeightsGradient(dy, w, dw);
    },
  };
}

/**
 * Gradient of dorefaWeights: straight through the rounding, through tanh and the maximum as they are.
 *
 *     k bits:  the gradient of tanh(w) / T,  T = tanh(max|w|):  dw = dy · (1 − tanh²(w)) / T,
 *              and where |w| is the maximum, less  sign(w) · (1 − T²) / T² · Σ dy·tanh(w)
 *     1 bit, 32 bits:  dw = dy
 *
 * Elements that share the maximum share alike what flows through it. Where all weights are 0: zeros. NaN and ±Infinity in
 * dy spread as arithmetic has it. Rounding: float32 after each operation (docs/numerics.md, "DoReFa").
 *
 * @param dy gradient arriving at the rounded weights, as long as w
 * @param w the weights of the forward call, finite
 * @param bits the forward call's
 * @param options `out` may be dy or w
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range; QuantError `non-finite`, naming the index in w.
 * Source: Zhou et al. 2016, eq. 4 and 5.
 *
 * @example
 * dorefaWeightsGradient(Float32Array.of(1, 2), Float32Array.of(0.5, -0.25), 1); // Float32Array [1, 2]
 * dorefaWeightsGradient(Float32Array.of(1, 2), Float32Array.of(0, 0), 4); // Float32Array [0, 0]
 */
export function dorefaWeightsGradient(
  dy: Float32Array,
  w: Float32Array,
  bits: number,
  { out }: OutOption = {},
): Float32Array {
  const where = "dorefaWeightsGradient";
  checkFloats(where, "dy", dy);
  checkFloats(where, "w", w);
  checkLength(where, "dy", dy, w.length);
  checkUnitBits(where, bits);
  if (bits === 1 || bits === UNTOUCHED_BITS) return copied(where, dy, out);
  return runChecked(where, dorefaWeightsGradientCall(w.length), [dy, w], w, out);
}
