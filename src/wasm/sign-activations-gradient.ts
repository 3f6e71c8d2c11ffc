import * as reference from "../reference/sign-activations-gradient.js";
import { checkFloats, checkLength, checkOverlap, floatOutput, type OutOption } from "./arguments.js";
import { type KernelCall, NO_WORDS, runCall } from "./kernel-call.js";

/** signActivationsGradient of `length` values: inputs dy, x; output dx. */
export function signActivationsGradientCall(length: number): KernelCall {
  return {
    inputs: [length, length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 0,
    direct: true,
    run: (exports, { inputs: [dy, x], outputs: [dx] }) => exports.fakeQuantizeGradientF32(dy, x, dx, length, -1, 1),
    reference: ([dy, x], [dx]) => reference.signActivationsGradient(dy, x, dx),
  };
}

/**
 * Gradient of signActivations: straight through where the activation is not saturated.
 *
 *     dx = dy where |x| ≤ 1, else 0
 *
 * Both ends pass. NaN in x gives 0. Rounding: none, values of dy are copied.
 *
 * @param dy gradient arriving at the output, as long as x
 * @param x input of the forward call
 * @param options `out` may be dy or x
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind or length.
 * Source: Hubara et al. 2016 (Binarized Neural Networks), eq. 4.
 *
 * @example
 * signActivationsGradient(Float32Array.of(1, 2, 3), Float32Array.of(-1.1, -1, 0.3)); // Float32Array [0, 2, 3]
 */
export function signActivationsGradient(dy: Float32Array, x: Float32Array, { out }: OutOption = {}): Float32Array {
  const where = "signActivationsGradient";
  checkFloats(where, "dy", dy);
  checkFloats(where, "x", x);
  checkLength(where, "dy", dy, x.length);
  const target = floatOutput(where, out, x.length);
  checkOverlap(where, dy, target, true);
  checkOverlap(where, x, target, true);
  return runCall(signActivationsGradientCall(x.length), [dy, x], [target])[0];
}
