import type { Codes } from "../core/grid.js";
import type { ResolvedParams } from "../core/quant-params.js";
import { fl } from "./rounding.js";

/**
 * Real values of integer codes.
 *
 *     x̂ = fl((q − zeroPoint) · scale)
 *
 * The difference is exact; one rounding, in the product. Source: Jacob et al. 2018, eq. 1.
 */
export function dequantize(q: Codes, { scale, zeroPoint, view }: ResolvedParams, out: Float32Array): void {
  for (let i = 0; i < q.length; i++) {
    const c = Math.floor(i / view.inner) % view.channels;
    out[i] = fl((q[i] - zeroPoint[c]) * scale[c]);
  }
}
