import { checkUnitBits, UNTOUCHED_BITS, unitGrid } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-activations.js";
import { checkFloats, checkOverlap, floatOutput, type OutOption } from "./arguments.js";
import { copied } from "./checked-call.js";
import { fakeQuantize } from "./fake-quantize.js";
import { fakeQuantizeCall } from "./fake-quantize-call.js";
import type { KernelCall } from "./kernel-call.js";

/** dorefaActivations of `length` values, 1…16 bits: input x, output y. */
export function dorefaActivationsCall(length: number, bits: number): KernelCall {
  return {
    ...fakeQuantizeCall(unitGrid(bits), length),
    reference: ([x], [y]) => reference.dorefaActivations(x, bits, y),
  };
}

/**
 * Clips activations to [0, 1] and rounds them to few bits, as DoReFa-Net does.
 *
 *     y = quantize_k(clip(x, 0, 1)):  code = clamp(rne(fl(x/scale)), 0, n),  y = fl(code·scale),  scale = fl(1/n),  n = 2^k − 1
 *
 * fakeQuantize on the grid of [0, 1]. 32 bits leave x as it is, unclipped. Ties to even. NaN gives 0.
 *
 * @param x any number of float32 values
 * @param bits 1…16, or 32
 * @param options `out` may be x itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range.
 * Source: Zhou et al. 2016, eq. 6.
 *
 * @example
 * dorefaActivations(Float32Array.of(-1, 0.3, 0.6, 7), 2); // Float32Array [0, fl(1/3), fl(2/3), 1]
 */
export function dorefaActivations(x: Float32Array, bits: number, options: OutOption = {}): Float32Array {
  const where = "dorefaActivations";
  checkFloats(where, "x", x);
  checkUnitBits(where, bits);
  if (bits === UNTOUCHED_BITS) return copied(where, x, options.out);
  const out = floatOutput(where, options.out, x.length);
  checkOverlap(where, x, out, true);
  return fakeQuantize(x, unitGrid(bits), { out });
}
