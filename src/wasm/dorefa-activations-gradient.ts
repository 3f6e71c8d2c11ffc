import { tensorView } from "../core/shape.js";
import { checkBound, checkUnitBits, UNTOUCHED_BITS } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-activations-gradient.js";
import { checkFloats, checkLength, checkOverlap, floatOutput, type OutOption } from "./arguments.js";
import { runChannels } from "./blocks.js";
import { copied } from "./checked-call.js";
import type { BoundOption } from "./dorefa-activations.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/** dorefaActivationsGradient of `length` values, any bits but 32: inputs dy, x; output dx. The bound is a float32. */
export function dorefaActivationsGradientCall(length: number, bound = 1): KernelCall {
  return {
    inputs: [length, length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 0,
    run: (exports, { inputs: [dy, x], outputs: [dx] }) => exports.fakeQuantizeGradientF32(dy, x, dx, length, 0, bound),
    reference: ([dy, x], [dx]) => reference.dorefaActivationsGradient(dy, x, dx, bound),
  };
}

/**
 * Gradient of dorefaActivations: straight through the rounding, and through the clip.
 *
 *     dx = dy where 0 ≤ x ≤ bound, else 0
 *
 * Both ends pass, −0 too. NaN in x gives 0. 32 bits: dx = dy. Rounding: none, values of dy are copied.
 *
 * @param dy gradient arriving at the output, as long as x
 * @param x input of the forward call
 * @param bits the forward call's
 * @param options `bound`: the forward call's; `out` may be dy or x
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range.
 * Source: Zhou et al. 2016, eq. 6.
 *
 * @example
 * dorefaActivationsGradient(Float32Array.of(1, 2, 3, 4), Float32Array.of(-0.1, 0, 1, 1.1), 2); // Float32Array [0, 2, 3, 0]
 */
export function dorefaActivationsGradient(
  dy: Float32Array,
  x: Float32Array,
  bits: number,
  options: BoundOption & OutOption = {},
): Float32Array {
  const where = "dorefaActivationsGradient";
  checkFloats(where, "dy", dy);
  checkFloats(where, "x", x);
  checkLength(where, "dy", dy, x.length);
  checkUnitBits(where, bits);
  checkBound(where, "bound", options.bound ?? 1);
  const bound = Math.fround(options.bound ?? 1);
  if (bits === UNTOUCHED_BITS) return copied(where, dy, options.out);
  const out = floatOutput(where, options.out, x.length);
  checkOverlap(where, dy, out, true);
  checkOverlap(where, x, out, true);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.dorefaActivationsGradient(dy, x, out, bound);
    return out;
  }
  const { fakeQuantizeGradientF32 } = kernels.exports;
  const result = liveArray(kernels.arena, out);
  runChannels(kernels, {
    view: tensorView(x.length),
    length: x.length,
    reads: [dy, x],
    writes: [out],
    tables: [],
    splat: ([dyPtr, xPtr, to], n) => fakeQuantizeGradientF32(dyPtr, xPtr, to, n, 0, bound),
    periodic: () => undefined,
  });
  return result();
}
