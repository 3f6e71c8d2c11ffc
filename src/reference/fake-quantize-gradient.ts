import type { ResolvedParams } from "../core/quant-params.js";
import { unclampedCode } from "./quantize.js";

/**
 * Straight-through gradient of fakeQuantize.
 *
 *     dx = dy where qmin ≤ rne(fl(x/scale)) + zeroPoint ≤ qmax, else 0
 *
 * The rule looks at the rounded code, so that the ends of the range, which are on the grid, keep their gradient.
 * NaN in x gives 0. `out` may be dy itself.
 * Source: Krishnamoorthi 2018, §2.4 (straight-through estimator with clamping).
 */
export function fakeQuantizeGradient(
  dy: Float32Array,
  x: Float32Array,
  { scale, zeroPoint, qmin, qmax, view }: ResolvedParams,
  out: Float32Array,
): void {
  for (let i = 0; i < x.length; i++) {
    const c = Math.floor(i / view.inner) % view.channels;
    const code = unclampedCode(x[i], scale[c], zeroPoint[c]);
    out[i] = code >= qmin && code <= qmax ? dy[i] : 0;
  }
}
