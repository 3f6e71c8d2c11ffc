import type { Codes } from "../core/grid.js";
import { type QuantParams, resolveParams, type ShapeOption } from "../core/quant-params.js";
import * as reference from "../reference/quantize.js";
import { checkFloats, checkOverlap, codeOutput } from "./arguments.js";
import { runChannels } from "./blocks.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/** Options of quantize. */
export interface QuantizeOptions extends ShapeOption {
  /** Where to write the codes: of the grid's narrowest type and x's length, apart from x. */
  readonly out?: Codes;
}

/**
 * Quantizes float32 values to integer codes.
 *
 *     q = clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax)
 *
 * Rounding: one float32 division, to nearest, ties to even, before the zero point is added. ±Infinity saturates; NaN gives
 * the zero point.
 *
 * @param x any number of float32 values, row-major
 * @param params per tensor (numbers), or per channel (arrays and `axis`, with options.shape)
 * @returns `out`, or a fresh Int8Array, Uint8Array, Int16Array or Uint16Array, whichever is the narrowest for the grid
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range, before any work starts.
 * Source: ONNX QuantizeLinear; Jacob et al. 2018, eq. 1.
 *
 * @example
 * quantize(Float32Array.of(-1, 0.5, 2), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 }); // Int8Array [-2, 1, 3]
 */
export function quantize(x: Float32Array, params: QuantParams, options: QuantizeOptions = {}): Codes {
  checkFloats("quantize", "x", x);
  const resolved = resolveParams("quantize", params, x.length, options);
  const out = codeOutput("quantize", options.out, resolved, x.length);
  checkOverlap("quantize", x, out, false);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.quantize(x, resolved, out);
    return out;
  }
  const { exports } = kernels;
  const { scale, zeroPoint, qmin, qmax, view } = resolved;
  const [splat, periodic] = {
    Int8Array: [exports.quantizeF32ToI8, exports.quantizeF32ToI8PerChannel] as const,
    Uint8Array: [exports.quantizeF32ToU8, exports.quantizeF32ToU8PerChannel] as const,
    Int16Array: [exports.quantizeF32ToI16, exports.quantizeF32ToI16PerChannel] as const,
    Uint16Array: [exports.quantizeF32ToU16, exports.quantizeF32ToU16PerChannel] as const,
  }[out.constructor.name as "Int8Array"];
  const result = liveArray(kernels.arena, out);
  runChannels(kernels, {
    view,
    length: x.length,
    reads: [x],
    writes: [out],
    tables: [scale, zeroPoint],
    splat: ([from, to], n, c) => splat(from, to, n, scale[c], zeroPoint[c], qmin, qmax),
    periodic: ([from, to], n, [s, z], period) => periodic(from, to, n, s, z, period, qmin, qmax),
  });
  return result();
}
