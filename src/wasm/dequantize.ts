import type { Codes } from "../core/grid.js";
import { type QuantParams, resolveParams, type ShapeOption } from "../core/quant-params.js";
import * as reference from "../reference/dequantize.js";
import { checkCodes, checkOverlap, floatOutput } from "./arguments.js";
import { runChannels } from "./blocks.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/** Options of functions that return float32 values. */
export interface FloatOptions extends ShapeOption {
  /** Where to write: a Float32Array of the input's length. */
  readonly out?: Float32Array;
}

/**
 * Real values of integer codes.
 *
 *     x̂ = fl((q − zeroPoint) · scale)
 *
 * Rounding: once, in the product; the difference is exact.
 *
 * @param q any number of codes, row-major
 * @param params per tensor (numbers), or per channel (arrays and `axis`, with options.shape)
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range, before any work starts.
 * Source: Jacob et al. 2018, eq. 1.
 *
 * @example
 * dequantize(Int8Array.of(-2, 1, 3), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 }); // Float32Array [-1, 0.5, 1.5]
 */
export function dequantize(q: Codes, params: QuantParams, options: FloatOptions = {}): Float32Array {
  checkCodes("dequantize", "q", q);
  const resolved = resolveParams("dequantize", params, q.length, options);
  const out = floatOutput("dequantize", options.out, q.length);
  checkOverlap("dequantize", q, out, false);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.dequantize(q, resolved, out);
    return out;
  }
  const { exports } = kernels;
  const { scale, zeroPoint, qmin, qmax, view } = resolved;
  const [splat, periodic] = {
    Int8Array: [exports.dequantizeI8ToF32, exports.dequantizeI8ToF32PerChannel] as const,
    Uint8Array: [exports.dequantizeU8ToF32, exports.dequantizeU8ToF32PerChannel] as const,
    Int16Array: [exports.dequantizeI16ToF32, exports.dequantizeI16ToF32PerChannel] as const,
    Uint16Array: [exports.dequantizeU16ToF32, exports.dequantizeU16ToF32PerChannel] as const,
  }[q.constructor.name as "Int8Array"];
  const result = liveArray(kernels.arena, out);
  runChannels(kernels, {
    view,
    length: q.length,
    reads: [q],
    writes: [out],
    tables: [scale, zeroPoint],
    splat: ([from, to], n, c) => splat(from, to, n, scale[c], zeroPoint[c], qmin, qmax),
    periodic: ([from, to], n, [s, z], period) => periodic(from, to, n, s, z, period, qmin, qmax),
  });
  return result();
}
