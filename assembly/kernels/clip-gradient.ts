import { fakeQuantizeGradientF32 } from "./fake-quantize-gradient";

/**
 * Gradient of ReLU (lo = 0, hi = Infinity), ReLU6 (0, 6) and their like.
 *
 *     out[i] = dy[i] where lo < x[i] <= hi, else 0
 *
 * The rule of tfjs: no gradient at the lower end, all of it at the upper one. It is that of fakeQuantizeGradientF32 from
 * the float above lo on. NaN in x gives 0.
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   dy   f32[n]   read
 *   x    f32[n]   read: the input of the activation, not its output
 *   out  f32[n]   written, may be dy or x
 *
 * Rounding: none; values of dy are copied. lo is finite. Errors: none here.
 */
export function clipGradientF32(dy: usize, x: usize, out: usize, n: usize, lo: f32, hi: f32): void {
  const above = lo == 0 ? 1 : reinterpret<i32>(lo) + (lo > 0 ? 1 : -1);
  fakeQuantizeGradientF32(dy, x, out, n, reinterpret<f32>(above), hi);
}
