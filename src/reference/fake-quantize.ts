import type { ResolvedParams } from "../core/quant-params.js";
import { unclampedCode } from "./quantize.js";
import { fl } from "./rounding.js";

/**
 * Rounds float32 values to the grid: dequantize(quantize(x)).
 *
 *     y = fl((clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax) − zeroPoint) · scale)
 *
 * NaN gives 0; ±Infinity gives an end of the range. `out` may be x itself. Source: Jacob et al. 2018, eq. 12.
 */
export function fakeQuantize(
  x: Float32Array,
  { scale, zeroPoint, qmin, qmax, view }: ResolvedParams,
  out: Float32Array,
): void {
  for (let i = 0; i < x.length; i++) {
    const c = Math.floor(i / view.inner) % view.channels;
    const s = scale[c];
    const z = zeroPoint[c];
    const code = unclampedCode(x[i], s, z);
    out[i] = Number.isNaN(code) ? 0 : fl((Math.max(qmin, Math.min(qmax, code)) - z) * s);
  }
}
