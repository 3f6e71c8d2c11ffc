import { checkUnitBits, UNTOUCHED_BITS } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-weights.js";
import { checkFloats, type OutOption } from "./arguments.js";
import { type CheckedCall, copied, runChecked } from "./checked-call.js";
import { NO_WORDS } from "./kernel-call.js";

/** dorefaWeights of `length` values, 1…16 bits: input w, output y. */
export function dorefaWeightsCall(length: number, bits: number): CheckedCall {
  const found = { finite: true };
  return {
    found,
    inputs: [length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 112,
    direct: true,
    run: (exports, { inputs: [w], outputs: [y], scratch }) => {
      found.finite = exports.dorefaWeightsF32(w, y, length, bits, scratch) === 1;
    },
    reference: ([w], [y]) => {
      found.finite = reference.dorefaWeights(w, bits, y);
    },
  };
}

/**
 * Rounds weights to few bits, as DoReFa-Net does: 1 bit to ±E|w|, more through tanh.
 *
 *     1 bit:   y = sign(w) · E,  E = Σ|w| / length,  sign(0) = 1
 *     k bits:  y = 2 · quantize_k(tanh(w) / (2 · max|tanh(w)|) + ½) − 1,  quantize_k(r) = rne(n·r)/n,  n = 2^k − 1
 *
 * The values are fl((2·code − n) · fl(1/n)) with code in 0…n; 32 bits leave w as it is. Where all weights are 0, the quotient
 * is 0: every value is fl(1/n), the upper one in the middle; with 1 bit it is 0. tanh is the library's own, up to 3 ulp off.
 * Rounding: float32 after each operation, ties to even (docs/numerics.md, "DoReFa").
 *
 * @param w the weights of one layer, finite
 * @param bits 1…16, or 32
 * @param options `out` may be w itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range; QuantError `non-finite`, naming the index.
 * Source: Zhou et al. 2016, eq. 4 and 5.
 *
 * @example
 * dorefaWeights(Float32Array.of(1, -2, 0, 3), 1); // Float32Array [1.5, -1.5, 1.5, 1.5]
 * dorefaWeights(Float32Array.of(1, -2, 0, 0.5), 2); // Float32Array [1, -1, fl(1/3), fl(1/3)]
 */
export function dorefaWeights(w: Float32Array, bits: number, { out }: OutOption = {}): Float32Array {
  const where = "dorefaWeights";
  checkFloats(where, "w", w);
  checkUnitBits(where, bits);
  if (bits === UNTOUCHED_BITS) return copied(where, w, out);
  return runChecked(where, dorefaWeightsCall(w.length, bits), [w], w, out);
}
