import { type QuantParams, resolveParams } from "../core/quant-params.js";
import * as reference from "../reference/fake-quantize.js";
import { checkFloats, checkOverlap, floatOutput } from "./arguments.js";
import { runChannels } from "./blocks.js";
import type { FloatOptions } from "./dequantize.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/**
 * Rounds float32 values to the grid: dequantize(quantize(x)) in one pass.
 *
 *     y = fl((clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax) − zeroPoint) · scale)
 *
 * Rounding: as quantize and dequantize. NaN gives 0; ±Infinity gives an end of the range.
 *
 * @param x any number of float32 values, row-major
 * @param params per tensor (numbers), or per channel (arrays and `axis`, with options.shape)
 * @param options `out` may be x itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range, before any work starts.
 * Source: Jacob et al. 2018, eq. 12.
 *
 * @example
 * fakeQuantize(Float32Array.of(-1, 0.6, 9), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 }); // Float32Array [-1, 0.5, 1.5]
 */
export function fakeQuantize(x: Float32Array, params: QuantParams, options: FloatOptions = {}): Float32Array {
  checkFloats("fakeQuantize", "x", x);
  const resolved = resolveParams("fakeQuantize", params, x.length, options);
  const out = floatOutput("fakeQuantize", options.out, x.length);
  checkOverlap("fakeQuantize", x, out, true);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.fakeQuantize(x, resolved, out);
    return out;
  }
  const { fakeQuantizeF32, fakeQuantizeF32PerChannel } = kernels.exports;
  const { scale, zeroPoint, qmin, qmax, view } = resolved;
  const result = liveArray(kernels.arena, out);
  runChannels(kernels, {
    view,
    length: x.length,
    reads: [x],
    writes: [out],
    tables: [scale, zeroPoint],
    splat: ([from, to], n, c) => fakeQuantizeF32(from, to, n, scale[c], zeroPoint[c], qmin, qmax),
    periodic: ([from, to], n, [s, z], period) => fakeQuantizeF32PerChannel(from, to, n, s, z, period, qmin, qmax),
  });
  return result();
}
