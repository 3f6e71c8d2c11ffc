import * as reference from "../reference/sign-activations.js";
import { checkFloats, checkOverlap, floatOutput, type OutOption } from "./arguments.js";
import { type KernelCall, NO_WORDS, runCall } from "./kernel-call.js";

/** signActivations of `length` values: input x, output y. */
export function signActivationsCall(length: number): KernelCall {
  return {
    inputs: [length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 0,
    direct: true,
    run: (exports, { inputs: [x], outputs: [y] }) => exports.signActivationsF32(x, y, length),
    reference: ([x], [y]) => reference.signActivations(x, y),
  };
}

/**
 * Activations of 1 bit as their sign, −1 or +1, as in binarized networks; dorefaActivations with 1 bit gives 0 or 1.
 *
 *     y = 1 where x ≥ 0, else −1
 *
 * ±0 gives 1; NaN, which is not ≥ 0, gives −1. Rounding: none.
 *
 * @param x any number of float32 values
 * @param options `out` may be x itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind or length.
 * Source: Hubara et al. 2016 (Binarized Neural Networks), eq. 1.
 *
 * @example
 * signActivations(Float32Array.of(-0.3, 0, 7)); // Float32Array [-1, 1, 1]
 */
export function signActivations(x: Float32Array, { out }: OutOption = {}): Float32Array {
  const where = "signActivations";
  checkFloats(where, "x", x);
  const target = floatOutput(where, out, x.length);
  checkOverlap(where, x, target, true);
  return runCall(signActivationsCall(x.length), [x], [target])[0];
}
