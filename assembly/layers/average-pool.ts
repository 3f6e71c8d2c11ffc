import { zeros } from "../core/layer-constants";
import {
  columns,
  inRowBytes,
  qmax,
  qmin,
  rows,
  run,
  scratch,
  taps,
  xPixelBytes,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { storeCodes } from "../core/store-codes";
import { sumWindow } from "./sum-window";

/** trunc((sum + sign(sum) * half) / n) of four sums; inverse is ⌊2^31 / n⌋ + 1. */
// @ts-ignore: decorator
@inline function average(sum: v128, half: v128, inverse: v128): v128 {
  const twice = i32x4.shl(i32x4.add(i32x4.abs(sum), half), 1);
  const low = i64x2.extmul_low_i32x4_u(twice, inverse);
  const high = i64x2.extmul_high_i32x4_u(twice, inverse);
  const sign = i32x4.shr_s(sum, 31);
  return i32x4.sub(v128.xor(v128.shuffle<i32>(low, high, 1, 3, 5, 7), sign), sign);
}

/**
 * Average of the codes under each window, of the n pixels on the map alone.
 *
 *     y[r, q, c] = clamp(trunc((acc + sign(acc) * ⌊n/2⌋) / n), qmin, qmax),   acc = Σ x over the window, c < run
 *
 * Rounding: to nearest, ties away from code 0. The division is a product: with v = |acc| + ⌊n/2⌋ and m = ⌊2^31/n⌋ + 1,
 *
 *     2v * m / 2^32  =  v/n + 2v * e / 2^32,   0 < e <= 1
 *
 * whose floor is that of v/n as long as the second term is below 1/n: v * n <= 128.5 n² < 2^31, n <= 4079. The plan sees to it.
 *
 *   taps     as in maxPool
 *   scratch  sums  i32[8]
 *
 * Reads up to 7 bytes behind a pixel of fewer than eight channels.
 */
export function averagePool(layer: usize, x: usize, y: usize): void {
  const channels = run(layer);
  const count = min(channels, 8);
  const last = max(channels - 8, 0);
  const lo = i16x8.splat(<i16>qmin(layer));
  const hi = i16x8.splat(<i16>qmax(layer));
  const sums = scratch(layer);
  let row = taps(layer);
  const rowsEnd = row + ((<usize>rows(layer)) << 3);
  const columnsEnd = rowsEnd + ((<usize>columns(layer)) << 3);
  do {
    let column = rowsEnd;
    let to = y;
    const lines = load<i32>(row, 4);
    do {
      const window = x + load<u32>(row) + load<u32>(column);
      const pixels = load<i32>(column, 4);
      const n = lines * pixels;
      const half = i32x4.splat(n >> 1);
      const inverse = i32x4.splat(<i32>(<u32>0x80000000 / <u32>n + 1));
      let c = 0;
      do {
        // The last eight share some with those before them.
        const at = min(c, last);
        sumWindow(window + at, lines, pixels, inRowBytes(layer), xPixelBytes(layer), zeros(), sums);
        const low = average(v128.load(sums), half, inverse);
        const high = average(v128.load(sums, 16), half, inverse);
        const q = i16x8.max_s(i16x8.min_s(i16x8.narrow_i32x4_s(low, high), hi), lo);
        storeCodes(to + at, i8x16.narrow_i16x8_s(q, q), count);
        c += 8;
      } while (c < channels);
      to += yPixelBytes(layer);
      column += 8;
    } while (column < columnsEnd);
    y += yRowBytes(layer);
    row += 8;
  } while (row < rowsEnd);
}
