import { storePairs } from "../core/interleave";
import {
  BLOCK_BYTES,
  blocks,
  blocksEnd,
  columns,
  depth,
  groups,
  rows,
  run,
  scratch,
  taps,
  tapsEnd,
  weights,
  xPixelBytes,
  xRowBytes,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { multiplyTiles } from "./multiply-tiles";
import { requantize } from "./requantize";

/** Tiles whose sums wait for their requantization: 2 KiB. */
const TILES: usize = 16;

/**
 * Widens one run of bytes below each of four windows and interleaves them; returns the address behind.
 *
 * Reads up to 7 bytes behind a run, and writes up to 48 bytes behind what it returns.
 */
// @ts-ignore: decorator
@inline function packRun(windows: usize, offset: usize, bytes: i32, to: usize): usize {
  let p0 = <usize>load<u32>(windows) + offset;
  let p1 = <usize>load<u32>(windows, 4) + offset;
  let p2 = <usize>load<u32>(windows, 8) + offset;
  let p3 = <usize>load<u32>(windows, 12) + offset;
  const end = to + ((<usize>bytes) << 3);
  do {
    storePairs(to, v128.load8x8_s(p0), v128.load8x8_s(p1), v128.load8x8_s(p2), v128.load8x8_s(p3));
    p0 += 8;
    p1 += 8;
    p2 += 8;
    p3 += 8;
    to += 64;
  } while (to < end);
  return end;
}

/**
 * 2D convolution of any window, stride, dilation and padding; fully connected layers of several rows are one with 1 x 1.
 *
 * A window is `tapCount` runs of `run` bytes: one row of the kernel, all its channels, where the columns are neighbours, and
 * one tap where dilation spreads them. So little depth is lost to padding it to pairs: K of a 3 x 3 window over one channel is
 * 12. Pixels are taken four at a time in flat order, and the last one is repeated where four do not go in.
 *
 *   weights  i16[blocks, depth / 2, 8, 2]   depth = tapCount * run, zeros where a run was made even
 *   scratch  windows  u32[4]
 *            offsets  u32[4 * groups]       of the outputs of the packed pixels, from y
 *            sums     i32[TILES, 4, 8]
 *            packed   i16[groups, depth / 2, 4, 2]   and 48 bytes
 *
 * Reads up to run - (its bytes) + 7 bytes behind the last window.
 */
export function conv2dDirect(layer: usize, x: usize, y: usize): void {
  const width = columns(layer);
  const group = groups(layer);
  const runBytes = run(layer);
  const tapsAt = taps(layer);
  const tapsStop = tapsEnd(layer);
  const windows = scratch(layer);
  const offsets = windows + 16;
  const sums = offsets + ((<usize>group) << 4);
  const packed = sums + TILES * 128;
  const tileBytes = (<usize>depth(layer)) << 3;
  const blockWeights = tileBytes << 1;
  const stop = blocksEnd(layer);

  let left = rows(layer) * width;
  let column = 0;
  let xRow = x;
  let yRow: usize = 0;
  do {
    let end = packed;
    let to = offsets;
    const limit = packed + <usize>group * tileBytes;
    do {
      for (let i: usize = 0; i < 16; i += 4) {
        store<u32>(windows + i, xRow + column * xPixelBytes(layer));
        store<u32>(to + i, yRow + column * yPixelBytes(layer));
        if (--left <= 0) continue;
        if (++column == width) {
          column = 0;
          xRow += xRowBytes(layer);
          yRow += yRowBytes(layer);
        }
      }
      to += 16;
      let tap = tapsAt;
      do {
        end = packRun(windows, load<u32>(tap), runBytes, end);
        tap += 4;
      } while (tap < tapsStop);
    } while (left > 0 && end < limit);

    let block = blocks(layer);
    let b = weights(layer);
    do {
      let tile = packed;
      let at = offsets;
      do {
        const next = min(tile + TILES * tileBytes, end);
        multiplyTiles(tile, next, tileBytes, b, blockWeights, block, sums);
        const pixels = (<i32>((next - tile) / tileBytes)) << 2;
        requantize(layer, block, y, at, sums, pixels);
        at += (<usize>pixels) << 2;
        tile = next;
      } while (tile < end);
      b += blockWeights;
      block += BLOCK_BYTES;
    } while (block < stop);
  } while (left > 0);
}
