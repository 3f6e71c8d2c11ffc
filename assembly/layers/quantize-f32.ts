import { magicBits } from "../core/layer-constants";
import { qmax, qmin, rows, run, scale, xRowBytes, yRowBytes, zeroPoint } from "../core/layer-words";
import { roundedLanes } from "../core/rounding";
import { storeCodes } from "../core/store-codes";

/**
 * float32 values to codes: where a network's input comes in.
 *
 *     y[r, e] = clamp(rne(fl(x[r, e] / scale)) + zeroPoint, qmin, qmax),   e < run; NaN gives the zero point
 *
 * Reads up to 7 values behind a run of fewer than eight.
 */
export function quantizeF32(layer: usize, x: usize, y: usize): void {
  const zeroPointOut = zeroPoint(layer);
  const step = f32x4.splat(scale(layer));
  const lo = f32x4.splat(<f32>(qmin(layer) - zeroPointOut));
  const hi = f32x4.splat(<f32>(qmax(layer) - zeroPointOut));
  const zero = i16x8.splat(<i16>zeroPointOut);
  const magic = magicBits();
  const length = run(layer);
  const count = min(length, 8);
  const last = max(length - 8, 0);
  let left = rows(layer);
  do {
    let i = 0;
    do {
      // The last eight share some with those before them.
      const at = min(i, last);
      const from = x + ((<usize>at) << 2);
      const low = i32x4.sub(roundedLanes(v128.load(from), step, lo, hi, magic), magic);
      const high = i32x4.sub(roundedLanes(v128.load(from, 16), step, lo, hi, magic), magic);
      const q = i16x8.add(i16x8.narrow_i32x4_s(low, high), zero);
      storeCodes(y + at, i8x16.narrow_i16x8_s(q, q), count);
      i += 8;
    } while (i < length);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
