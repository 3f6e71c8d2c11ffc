import { columns, rows, run, taps, yPixelBytes, yRowBytes } from "../core/layer-words";
import { storeCodes } from "../core/store-codes";
import { highPairs, lowPairs } from "../core/unpack";

/** First and second weight of a pair, for i32x4.dot_i16x8_s. */
// @ts-ignore: decorator
@inline function pairOf(first: i32, second: i32): v128 {
  return i32x4.splat((first & 0xffff) | (second << 16));
}

/** The weighted sum of two rows, rounded. */
// @ts-ignore: decorator
@inline function blend(upper: v128, lower: v128, first: v128, second: v128, half: v128, away: v128, shift: i32): v128 {
  const sum = i32x4.add(i32x4.mul(upper, first), i32x4.mul(lower, second));
  return i32x4.shr_s(i32x4.add(i32x4.add(sum, half), v128.and(i32x4.shr_s(sum, 31), away)), shift);
}

/**
 * Bilinear resize of codes.
 *
 *     y[r, q, c] = round(Σ wy * wx * x / 2^(2 bits)) over four pixels, wy + wy' = wx + wx' = 2^bits,   c < run
 *
 * Rounding: once, ties toward +infinity, or away from code 0.
 *
 *   taps  u32  bits, and -1 for ties away from 0, else 0
 *              [rows][3]     of each output row: where the two input rows begin, from x, and the weight of the second
 *              [columns][3]  of each output column, likewise
 *
 * Reads up to 7 bytes behind a pixel of fewer than eight channels. Overflow: none, weights fit 16 bits, |sum| <= 2^(7 + 2 bits) <= 2^29.
 */
export function resizeBilinear(layer: usize, x: usize, y: usize): void {
  const channels = run(layer);
  const count = min(channels, 8);
  const last = max(channels - 8, 0);
  const table = taps(layer);
  const bits = load<i32>(table);
  const unit = 1 << bits;
  const shift = bits << 1;
  const half = i32x4.splat(1 << (shift - 1));
  const away = v128.load32_splat(table, 4);
  let row = table + 8;
  const rowsEnd = row + <usize>(rows(layer) * 12);
  const columnsEnd = rowsEnd + <usize>(columns(layer) * 12);
  do {
    const top = x + load<u32>(row);
    const bottom = x + load<u32>(row, 4);
    const second = v128.load32_splat(row, 8);
    const first = i32x4.sub(i32x4.splat(unit), second);
    let column = rowsEnd;
    let to = y;
    do {
      const left = <usize>load<u32>(column);
      const right = <usize>load<u32>(column, 4);
      const weight = load<i32>(column, 8);
      const pair = pairOf(unit - weight, weight);
      let c = 0;
      do {
        // The last eight share some with those before them.
        const at = min(c, last);
        const a = v128.load8x8_s(top + left + at);
        const b = v128.load8x8_s(top + right + at);
        const d = v128.load8x8_s(bottom + left + at);
        const e = v128.load8x8_s(bottom + right + at);
        const low = blend(
          i32x4.dot_i16x8_s(lowPairs(a, b), pair),
          i32x4.dot_i16x8_s(lowPairs(d, e), pair),
          first,
          second,
          half,
          away,
          shift,
        );
        const high = blend(
          i32x4.dot_i16x8_s(highPairs(a, b), pair),
          i32x4.dot_i16x8_s(highPairs(d, e), pair),
          first,
          second,
          half,
          away,
          shift,
        );
        const q = i16x8.narrow_i32x4_s(low, high);
        storeCodes(to + at, i8x16.narrow_i16x8_s(q, q), count);
        c += 8;
      } while (c < channels);
      to += yPixelBytes(layer);
      column += 12;
    } while (column < columnsEnd);
    y += yRowBytes(layer);
    row += 12;
  } while (row < rowsEnd);
}
