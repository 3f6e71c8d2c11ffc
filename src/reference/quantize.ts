import type { Codes } from "../core/grid.js";
import type { ResolvedParams } from "../core/quant-params.js";
import { fl, roundTiesToEven } from "./rounding.js";

/**
 * The code of one value before clamping: rne(fl(x/scale)) + zeroPoint. NaN stays NaN, ±Infinity stays.
 *
 * One float32 division; ties go to even *before* the zero point is added.
 */
export function unclampedCode(x: number, scale: number, zeroPoint: number): number {
  return roundTiesToEven(fl(x / scale)) + zeroPoint;
}

/**
 * Quantizes float32 values to integer codes.
 *
 *     q = clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax)
 *
 * ±Infinity saturates; NaN gives the zero point. `out` may not overlap x.
 * Source: ONNX QuantizeLinear; Jacob et al. 2018, eq. 1.
 */
export function quantize(x: Float32Array, { scale, zeroPoint, qmin, qmax, view }: ResolvedParams, out: Codes): void {
  for (let i = 0; i < x.length; i++) {
    const c = Math.floor(i / view.inner) % view.channels;
    const code = unclampedCode(x[i], scale[c], zeroPoint[c]);
    out[i] = Number.isNaN(code) ? zeroPoint[c] : Math.max(qmin, Math.min(qmax, code));
  }
}
