import { rows, run, scale, xRowBytes, yRowBytes, zeroPoint } from "../core/layer-words";

/** fl((code - zeroPoint) * scale) of four differences. */
// @ts-ignore: decorator
@inline function valuesOf(differences: v128, step: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(differences), step);
}

/**
 * Codes to float32 values: where a network's output leaves.
 *
 *     y[r, e] = fl((x[r, e] - zeroPoint) * scale),   e < run; zeroPoint of the input
 */
export function dequantizeF32(layer: usize, x: usize, y: usize): void {
  const zero = i16x8.splat(<i16>zeroPoint(layer));
  const step = f32x4.splat(scale(layer));
  const length = run(layer);
  let left = rows(layer);
  do {
    let i = 0;
    if (length >= 8) {
      do {
        // The last eight share some with those before them.
        const at = min(i, length - 8);
        const difference = i16x8.sub(v128.load8x8_s(x + at), zero);
        const to = y + ((<usize>at) << 2);
        v128.store(to, valuesOf(i32x4.extend_low_i16x8_s(difference), step));
        v128.store(to, valuesOf(i32x4.extend_high_i16x8_s(difference), step), 16);
        i += 8;
      } while (i < length);
    } else {
      do {
        store<f32>(y + ((<usize>i) << 2), <f32>(<i32>load<i8>(x + i) - zeroPoint(layer)) * scale(layer));
      } while (++i < length);
    }
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
