import { checkBound, checkUnitBits, UNTOUCHED_BITS, unitGrid } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-activations.js";
import { checkFloats, checkOverlap, floatOutput, type OutOption } from "./arguments.js";
import { copied } from "./checked-call.js";
import { fakeQuantize } from "./fake-quantize.js";
import { fakeQuantizeCall } from "./fake-quantize-call.js";
import type { KernelCall } from "./kernel-call.js";

/** Where activations end. */
export interface BoundOption {
  /** Upper end, rounded to float32; the lower one is 0. Default 1, the paper's. */
  readonly bound?: number;
}

/** dorefaActivations of `length` values, 1…16 bits: input x, output y. The bound is a float32. */
export function dorefaActivationsCall(length: number, bits: number, bound = 1): KernelCall {
  return {
    ...fakeQuantizeCall(unitGrid(bits, bound), length),
    reference: ([x], [y]) => reference.dorefaActivations(x, bits, y, bound),
  };
}

/**
 * Clips activations to [0, bound] and rounds them to few bits, as DoReFa-Net does with bound 1.
 *
 *     code = clamp(rne(fl(x/scale)), 0, n),  y = fl(code·scale),  scale = fl(bound/n),  n = 2^k − 1
 *
 * With bound 1 that is quantize_k(clip(x, 0, 1)). fakeQuantize on the grid of [0, bound]. 32 bits leave x as it is, unclipped. Ties to even. NaN gives 0.
 *
 * @param x any number of float32 values
 * @param bits 1…16, or 32
 * @param options `bound` in [2^−100, 2^100]; `out` may be x itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range.
 * Source: Zhou et al. 2016, eq. 6.
 *
 * @example
 * dorefaActivations(Float32Array.of(-1, 0.3, 0.6, 7), 2); // Float32Array [0, fl(1/3), fl(2/3), 1]
 */
export function dorefaActivations(x: Float32Array, bits: number, options: BoundOption & OutOption = {}): Float32Array {
  const where = "dorefaActivations";
  checkFloats(where, "x", x);
  checkUnitBits(where, bits);
  const { bound = 1 } = options;
  checkBound(where, "bound", bound);
  if (bits === UNTOUCHED_BITS) return copied(where, x, options.out);
  const out = floatOutput(where, options.out, x.length);
  checkOverlap(where, x, out, true);
  return fakeQuantize(x, unitGrid(bits, Math.fround(bound)), { out });
}
