import {
  BLOCK_BYTES,
  blockInChannel,
  blocks,
  blocksEnd,
  columns,
  groups,
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
import { stripOffsets } from "../core/strip-offsets";
import { highPairs, lowPairs } from "../core/unpack";
import { requantize } from "./requantize";

/** The inputs of eight output channels below one tap, widened. */
// @ts-ignore: decorator
@inline function inputs(at: usize, spread: v128): v128 {
  return i16x8.extend_low_i8x16_s(i8x16.swizzle(v128.load64_zero(at), spread));
}

/**
 * Depthwise 2D convolution of any window, stride, dilation, padding and multiplier.
 *
 * Output rows are taken in strips of `groups` rows, in a strip one block of channels after the other. Taps are taken in pairs
 * (the last one twice where their number is odd, with a weight of 0). The eight output channels of a block read at most eight
 * neighbouring input channels, which `spread` brings to their lanes.
 *
 *   weights  i16[blocks, tapCount / 2, 8, 2]
 *   scratch  offsets  u32[groups, columns], rounded up to 16 bytes
 *            sums     i32[groups, columns, 8]
 *
 * Reads up to 7 bytes behind the input channels of a block. Overflow: sums are mod 2^32.
 */
export function depthwiseConv2d(layer: usize, x: usize, y: usize): void {
  const width = columns(layer);
  const pixelBytes = xPixelBytes(layer);
  const tapsAt = taps(layer);
  const tapsStop = tapsEnd(layer);
  const stop = blocksEnd(layer);
  const offsets = scratch(layer);
  let strip = groups(layer);
  const sums = stripOffsets(offsets, strip, width, yRowBytes(layer), yPixelBytes(layer));
  let left = rows(layer);
  do {
    strip = min(strip, left);
    let block = blocks(layer);
    let blockWeights = weights(layer);
    do {
      const b0 = v128.load(block);
      const b1 = v128.load(block, 16);
      const spread = v128.load64_zero(block, 120);
      let row = x + blockInChannel(block);
      let to = sums;
      let w = blockWeights;
      for (let r = strip; r > 0; --r) {
        let pixel = row;
        const end = to + ((<usize>width) << 5);
        do {
          let low = b0;
          let high = b1;
          let tap = tapsAt;
          w = blockWeights;
          do {
            const u = inputs(pixel + load<u32>(tap), spread);
            const v = inputs(pixel + load<u32>(tap, 4), spread);
            low = i32x4.add(low, i32x4.dot_i16x8_s(lowPairs(u, v), v128.load(w)));
            high = i32x4.add(high, i32x4.dot_i16x8_s(highPairs(u, v), v128.load(w, 16)));
            tap += 8;
            w += 32;
          } while (tap < tapsStop);
          v128.store(to, low);
          v128.store(to, high, 16);
          pixel += pixelBytes;
          to += 32;
        } while (to < end);
        row += xRowBytes(layer);
      }
      requantize(layer, block, y, offsets, sums, strip * width);
      blockWeights = w;
      block += BLOCK_BYTES;
    } while (block < stop);
    x += strip * xRowBytes(layer);
    y += strip * yRowBytes(layer);
    left -= strip;
  } while (left > 0);
}
