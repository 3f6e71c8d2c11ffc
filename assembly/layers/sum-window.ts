/** Codes whose sum fits 16 bits. */
const CODES: i32 = 256;

/**
 * Sums of eight neighbouring channels over a window.
 *
 *     sums[c] = start[c] + Σ x over `lines` rows of `pixels` pixels
 *
 * Overflow: 256 codes fit 16 bits, and sums are widened after as many; below 2^23 codes they fit 32.
 */
export function sumWindow(
  window: usize,
  lines: i32,
  pixels: i32,
  lineBytes: i32,
  pixelBytes: i32,
  start: usize,
  sums: usize,
): void {
  let low = v128.load(start);
  let high = v128.load(start, 16);
  do {
    let pixel = window;
    let left = pixels;
    do {
      let some = min(left, CODES);
      left -= some;
      let part = v128.load8x8_s(pixel);
      while (--some > 0) {
        pixel += pixelBytes;
        part = i16x8.add(part, v128.load8x8_s(pixel));
      }
      pixel += pixelBytes;
      low = i32x4.add(low, i32x4.extend_low_i16x8_s(part));
      high = i32x4.add(high, i32x4.extend_high_i16x8_s(part));
    } while (left > 0);
    window += lineBytes;
  } while (--lines > 0);
  v128.store(sums, low);
  v128.store(sums, high, 16);
}
