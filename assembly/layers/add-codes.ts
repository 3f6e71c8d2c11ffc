import {
  columns,
  multiplier,
  multiplier2,
  offset,
  qmax,
  qmin,
  rows,
  shift,
  x2RowBytes,
  xRowBytes,
  yRowBytes,
  zeroPoint,
} from "../core/layer-words";

/** Four sums, rounded. */
// @ts-ignore: decorator
@inline function sums(a: v128, b: v128, m: v128, m2: v128, start: v128, bits: i32): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(start, i32x4.mul(a, m)), i32x4.mul(b, m2)), bits);
}

/**
 * Sum or difference of two tensors of one shape, `columns` bytes in each of `rows` rows.
 *
 *     y = clamp(zeroPoint + ((a * multiplier + b * multiplier2 + offset) >> shift), qmin, qmax)
 *
 * offset = 2^(shift - 1) less what the zero points of a and b give, mod 2^32.
 * Rounding: once, ties toward +infinity. Overflow: none; the plan proves that sums without their zero points fit 32 bits.
 */
export function addCodes(layer: usize, x: usize, x2: usize, y: usize): void {
  const m = i32x4.splat(multiplier(layer));
  const m2 = i32x4.splat(multiplier2(layer));
  const start = i32x4.splat(offset(layer));
  const bits = shift(layer);
  const zero = i16x8.splat(<i16>zeroPoint(layer));
  const lo = i8x16.splat(<i8>qmin(layer));
  const hi = i8x16.splat(<i8>qmax(layer));
  const bytes = columns(layer);
  let left = rows(layer);
  do {
    let i = 0;
    if (bytes >= 8) {
      do {
        // The last eight overlap those before where eight do not go in.
        i = min(i, bytes - 8);
        const a = v128.load8x8_s(x + i);
        const b = v128.load8x8_s(x2 + i);
        const low = sums(i32x4.extend_low_i16x8_s(a), i32x4.extend_low_i16x8_s(b), m, m2, start, bits);
        const high = sums(i32x4.extend_high_i16x8_s(a), i32x4.extend_high_i16x8_s(b), m, m2, start, bits);
        const q = i16x8.add_sat_s(i16x8.narrow_i32x4_s(low, high), zero);
        const codes = i8x16.max_s(i8x16.min_s(i8x16.narrow_i16x8_s(q, q), hi), lo);
        v128.store64_lane(y + i, codes, 0);
        i += 8;
      } while (i < bytes);
    } else {
      do {
        const a = load<i8>(x + i) * multiplier(layer);
        const sum = (a + load<i8>(x2 + i) * multiplier2(layer) + offset(layer)) >> bits;
        store<i8>(y + i, <i8>max(qmin(layer), min(qmax(layer), zeroPoint(layer) + sum)));
      } while (++i < bytes);
    }
    x += xRowBytes(layer);
    x2 += x2RowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
