import { storePairs } from "../core/interleave";
import { zeros } from "../core/layer-constants";
import {
  BLOCK_BYTES,
  blocks,
  blocksEnd,
  columns,
  depth,
  groups,
  inChannels,
  inRowBytes,
  rows,
  scratch,
  weights,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { multiplyTiles } from "./multiply-tiles";
import { requantize } from "./requantize";
import { winogradInput2, winogradOutput2 } from "./winograd-f2";
import { winogradInput4, winogradOutput4 } from "./winograd-f4";

/**
 * 3 x 3 convolution of stride 1 by Winograd's minimal filtering, in integers and exact: tiles of size x size outputs, size 2 or 4.
 *
 *     y = A'[(G g G') * (B' d B)]A,   d a tile of size + 2 pixels squared, g the weights, * elementwise, summed over channels
 *
 * The rows of G are scaled to integers when the weights are packed, so the sums are a known multiple of y (winograd-f2.ts,
 * winograd-f4.ts), which the output's transform divides by. Products per output: 4 instead of 9 (size 2), 2.25 (size 4).
 *
 * Four tiles are taken at a time in flat order, the last repeated where four do not go in. A tile may reach over the edge of the
 * map: what it reads there only reaches outputs that are dropped, into scratch.
 *
 *   weights  i16[blocks, positions, depth / 2, 8, 2]   positions = (size + 2)^2; depth = inChannels up to a multiple of 8, zeros
 *   scratch  corners  u32[4]                           the tiles of a group, in the input
 *            offsets  u32[groups, 4, size^2]           of the outputs, from y
 *            work     576 bytes                        of the transforms
 *            tiles    i16[positions, 4, 8]
 *            sums     i32[positions, 4, 8]
 *            results  i32[4, size^2, 8]
 *            dropped  i8[outChannels + 16], rounded up to 16 bytes
 *            packed   i16[groups, positions, depth / 2, 4, 2]
 *
 * Reads of the input: size + 2 rows and columns of each tile, and up to 7 bytes behind.
 */
export function winograd(layer: usize, x: usize, y: usize, size: i32): void {
  const edge = size + 2;
  const positions: usize = edge * edge;
  const outputs: usize = size * size;
  const channels = depth(layer);
  const rowBytes = inRowBytes(layer);
  const pixelBytes = inChannels(layer);
  const positionBytes = (<usize>channels) << 3;
  const groupBytes = positions * positionBytes;
  const corners = scratch(layer);
  const offsets = corners + 16;
  const work = offsets + ((<usize>groups(layer) * outputs) << 4);
  const tiles = work + 576;
  const sums = tiles + (positions << 6);
  const results = sums + (positions << 7);
  const dropped = results + (outputs << 7);
  const packed = dropped + ((yPixelBytes(layer) + 31) & ~15);
  const across = (columns(layer) + size - 1) / size;
  const count = across * ((rows(layer) + size - 1) / size);
  const stop = blocksEnd(layer);

  let first = 0;
  do {
    let end = packed;
    let to = offsets;
    const limit = packed + <usize>groups(layer) * groupBytes;
    do {
      for (let i = 0; i < 4; ++i) {
        const tile = min(first + i, count - 1);
        const row = (tile / across) * size;
        const column = (tile % across) * size;
        store<u32>(corners + (i << 2), x + row * rowBytes + column * pixelBytes);
        for (let r = row; r < row + size; ++r) {
          for (let q = column; q < column + size; ++q) {
            const inside = r < rows(layer) && q < columns(layer);
            store<u32>(to, inside ? r * yRowBytes(layer) + q * yPixelBytes(layer) : <i32>(dropped - y));
            to += 4;
          }
        }
      }
      first += 4;
      let c = 0;
      do {
        for (let i: usize = 0; i < 4; ++i) {
          const corner = <usize>load<u32>(corners + (i << 2)) + c;
          if (size == 2) winogradInput2(corner, pixelBytes, rowBytes, tiles + (i << 4));
          else winogradInput4(corner, pixelBytes, rowBytes, work, tiles + (i << 4));
        }
        let from = tiles;
        let at = end + ((<usize>c) << 3);
        do {
          storePairs(at, v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48));
          from += 64;
          at += positionBytes;
        } while (from < sums);
        c += 8;
      } while (c < channels);
      end += groupBytes;
    } while (first < count && end < limit);

    let block = blocks(layer);
    let b = weights(layer);
    do {
      let group = packed;
      let at = offsets;
      do {
        multiplyTiles(group, group + groupBytes, positionBytes, b, 0, zeros(), sums);
        if (size == 2) winogradOutput2(sums, results, block);
        else winogradOutput4(sums, work, results, block);
        requantize(layer, block, y, at, results, (<i32>outputs) << 2);
        at += outputs << 4;
        group += groupBytes;
      } while (group < end);
      b += groupBytes << 1;
      block += BLOCK_BYTES;
    } while (block < stop);
  } while (first < count);
}
