import { scaleOf, zeroPointOf } from "../core/quant-params";
import { fakeQuantizeF32 } from "./fake-quantize";
import { minMaxF32 } from "./min-max";
import { movingAverage } from "./moving-average";

/**
 * Updates a moving range with one tensor, then rounds the tensor to the grid of the updated range.
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   x      f32[n]   read, n > 0
 *   out    f32[n]   written, may be x itself
 *   state  f32 min, f32 max, f32 scale, i32 zeroPoint; min and max read (unless first) and written, the rest written
 *
 * Rounding: that of min-max, moving-average, choose-quant-params and fake-quantize, of which it is the composition.
 * Returns 0; 1 when x holds NaN or +-Infinity, 2 when the scale exceeds float32: then nothing is written.
 * Source: Jacob et al. 2018, section 3.1.
 */
export function observeFakeQuantizeF32(
  x: usize,
  out: usize,
  n: usize,
  state: usize,
  first: i32,
  decay: f64,
  qmin: i32,
  qmax: i32,
  symmetric: i32,
): i32 {
  let min = load<f32>(state);
  let max = load<f32>(state, 4);
  const batch = state + 8; // where scale and zero point will stand
  if (!minMaxF32(x, n, batch)) return 1;
  const batchMin = load<f32>(batch);
  const batchMax = load<f32>(batch, 4);
  min = first ? batchMin : movingAverage(min, batchMin, decay);
  max = first ? batchMax : movingAverage(max, batchMax, decay);
  const scale = scaleOf(min, max, qmin, qmax, symmetric != 0);
  if (scale == Infinity) return 2;
  const zeroPoint = zeroPointOf(min, max, scale, qmin, qmax, symmetric != 0);
  store<f32>(state, min);
  store<f32>(state, max, 4);
  store<f32>(state, scale, 8);
  store<i32>(state, zeroPoint, 12);
  fakeQuantizeF32(x, out, n, scale, zeroPoint, qmin, qmax);
  return 0;
}
