import { columns, rows, run, weights, xPixelBytes, xRowBytes, yPixelBytes, yRowBytes } from "../core/layer-words";

/** Softmax of one pixel. */
function softmaxOf(x: usize, y: usize, channels: i32, table: usize): void {
  const end = x + channels;
  let largest = -128;
  let at = x;
  do {
    largest = max(largest, <i32>load<i8>(at));
  } while (++at < end);
  let sum: u64 = 0;
  at = x;
  do {
    sum += load<u32>(table + ((<usize>(largest - <i32>load<i8>(at))) << 2));
  } while (++at < end);
  const half = sum >> 1;
  at = x;
  do {
    const e = <u64>load<u32>(table + ((<usize>(largest - <i32>load<i8>(at))) << 2));
    store<i8>(y++, <i8>(<i32>min<u64>(((e << 8) + half) / sum, 255) - 128));
  } while (++at < end);
}

/**
 * Softmax over the channels of each pixel; the output has scale 1/256 and zero point -128.
 *
 *     y[c] = min(⌊(256 * e[max - x[c]] + sum/2) / sum⌋ - 128, 127),   max and sum of the pixel's e over c < run
 *
 *   weights  e, u32[256]: 2^23 at 0
 *
 * Rounding: once, ties toward +infinity, in 64 bits. Overflow: none below 2^40 channels.
 */
export function softmax(layer: usize, x: usize, y: usize): void {
  let left = rows(layer);
  do {
    let from = x;
    let to = y;
    let pixels = columns(layer);
    do {
      softmaxOf(from, to, run(layer), weights(layer));
      from += xPixelBytes(layer);
      to += yPixelBytes(layer);
    } while (--pixels > 0);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
