import { type QuantParams, type ResolvedParams, resolveParams } from "../core/quant-params.js";
import * as reference from "../reference/fake-quantize-gradient.js";
import { unclampedCode } from "../reference/quantize.js";
import { fl } from "../reference/rounding.js";
import { checkFloats, checkLength, checkOverlap, floatOutput } from "./arguments.js";
import { runChannels } from "./blocks.js";
import type { FloatOptions } from "./dequantize.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/**
 * Straight-through gradient of fakeQuantize.
 *
 *     dx = dy where qmin ≤ rne(fl(x/scale)) + zeroPoint ≤ qmax, else 0
 *
 * NaN in x gives 0. Rounding: none, values of dy are copied.
 *
 * @param dy gradient arriving at the output, as long as x
 * @param x input of the forward call, row-major
 * @param params the forward call's
 * @param options `out` may be dy itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range, before any work starts.
 * Source: Krishnamoorthi 2018, §2.4.
 *
 * @example
 * fakeQuantizeGradient(Float32Array.of(1, 1), Float32Array.of(0.6, 9), { scale: 0.5, zeroPoint: 0, qmin: -3, qmax: 3 });
 * // Float32Array [1, 0]
 */
export function fakeQuantizeGradient(
  dy: Float32Array,
  x: Float32Array,
  params: QuantParams,
  options: FloatOptions = {},
): Float32Array {
  const where = "fakeQuantizeGradient";
  checkFloats(where, "dy", dy);
  checkFloats(where, "x", x);
  checkLength(where, "dy", dy, x.length);
  const resolved = resolveParams(where, params, x.length, options);
  const out = floatOutput(where, options.out, x.length);
  checkOverlap(where, dy, out, true);
  checkOverlap(where, x, out, true);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.fakeQuantizeGradient(dy, x, resolved, out);
    return out;
  }
  const { fakeQuantizeGradientF32, fakeQuantizeGradientF32PerChannel } = kernels.exports;
  const { lo, hi } = straightThroughBounds(resolved);
  const result = liveArray(kernels.arena, out);
  runChannels(kernels, {
    view: resolved.view,
    length: x.length,
    reads: [dy, x],
    writes: [out],
    tables: [lo, hi],
    splat: ([dyPtr, xPtr, to], n, c) => fakeQuantizeGradientF32(dyPtr, xPtr, to, n, lo[c], hi[c]),
    periodic: ([dyPtr, xPtr, to], n, [l, h], period) =>
      fakeQuantizeGradientF32PerChannel(dyPtr, xPtr, to, n, l, h, period),
  });
  return result();
}

/**
 * The smallest and the largest float32 of each channel whose code before clamping lies on the grid.
 *
 * The code is a monotone function of x, so the rule of the gradient is lo ≤ x ≤ hi.
 */
export function straightThroughBounds({ scale, zeroPoint, qmin, qmax }: ResolvedParams): {
  lo: Float32Array;
  hi: Float32Array;
} {
  const lo = new Float32Array(scale.length);
  const hi = new Float32Array(scale.length);
  for (let c = 0; c < scale.length; c++) {
    const s = scale[c];
    const z = zeroPoint[c];
    lo[c] = -outermost((z - qmin + 0.5) * s, (x) => unclampedCode(-x, s, z) >= qmin);
    hi[c] = outermost((qmax - z + 0.5) * s, (x) => unclampedCode(x, s, z) <= qmax);
  }
  return { lo, hi };
}

const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest float32 that `inside` accepts, given an estimate that is a few ulp away. */
function outermost(estimate: number, inside: (x: number) => boolean): number {
  let x = Math.min(LARGEST, Math.max(-LARGEST, fl(estimate)));
  while (!inside(x)) x = step(x, -1);
  while (x < LARGEST && inside(step(x, 1))) x = step(x, 1);
  return x;
}

/** The neighbouring float32 above (+1) or below (−1). */
function step(x: number, direction: 1 | -1): number {
  if (x === 0) return direction * 2 ** -149;
  float[0] = x;
  bits[0] += x > 0 ? direction : -direction;
  return float[0];
}
