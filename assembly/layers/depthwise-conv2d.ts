import {
  BLOCK_BYTES,
  blockInChannel,
  blocks,
  blocksEnd,
  columns,
  rows,
  scratch,
  taps,
  tapsEnd,
  weights,
  xPixelBytes,
  xRowBytes,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { requantize } from "./requantize";

/** The inputs of eight output channels below one tap, widened. */
// @ts-ignore: decorator
@inline function inputs(at: usize, spread: v128): v128 {
  return i16x8.extend_low_i8x16_s(i8x16.swizzle(v128.load64_zero(at), spread));
}

/** Writes where the pixels of a row lie, from its first one. */
export function rowOffsets(at: usize, pixels: i32, pixelBytes: i32): void {
  let offset = 0;
  do {
    store<u32>(at, offset);
    at += 4;
    offset += pixelBytes;
  } while (--pixels > 0);
}

/**
 * Depthwise 2D convolution of any window, stride, dilation, padding and multiplier.
 *
 * Taps are taken in pairs (the last one twice where their number is odd, with a weight of 0). The eight output channels of a
 * block read at most eight neighbouring input channels, which `spread` brings to their lanes.
 *
 *   weights  i16[blocks, tapCount / 2, 8, 2]
 *   scratch  offsets  u32[columns], rounded up to 16 bytes
 *            sums     i32[columns, 8]
 *
 * Reads up to 7 bytes behind the input channels of a block. Overflow: sums are mod 2^32.
 */
export function depthwiseConv2d(layer: usize, x: usize, y: usize): void {
  const width = columns(layer);
  const pixelBytes = xPixelBytes(layer);
  const tapsAt = taps(layer);
  const tapsStop = tapsEnd(layer);
  const offsets = scratch(layer);
  const sums = offsets + ((((<usize>width) << 2) + 15) & ~15);
  const sumsEnd = sums + ((<usize>width) << 5);
  const stop = blocksEnd(layer);
  rowOffsets(offsets, width, yPixelBytes(layer));
  let left = rows(layer);
  do {
    let block = blocks(layer);
    let blockWeights = weights(layer);
    do {
      const b0 = v128.load(block);
      const b1 = v128.load(block, 16);
      const spread = v128.load64_zero(block, 120);
      let pixel = x + blockInChannel(block);
      let to = sums;
      let w = blockWeights;
      do {
        let low = b0;
        let high = b1;
        let tap = tapsAt;
        w = blockWeights;
        do {
          const u = inputs(pixel + load<u32>(tap), spread);
          const v = inputs(pixel + load<u32>(tap, 4), spread);
          const first = i8x16.shuffle(u, v, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
          const second = i8x16.shuffle(u, v, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
          low = i32x4.add(low, i32x4.dot_i16x8_s(first, v128.load(w)));
          high = i32x4.add(high, i32x4.dot_i16x8_s(second, v128.load(w, 16)));
          tap += 8;
          w += 32;
        } while (tap < tapsStop);
        v128.store(to, low);
        v128.store(to, high, 16);
        pixel += pixelBytes;
        to += 32;
      } while (to < sumsEnd);
      requantize(layer, block, y, offsets, sums, width);
      blockWeights = w;
      block += BLOCK_BYTES;
    } while (block < stop);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
