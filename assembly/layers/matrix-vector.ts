import { BLOCK_BYTES, blocks, blocksEnd, depth, scratch, weights } from "../core/layer-words";
import { requantize } from "./requantize";

/** sum + the dot products of the vector's pair with four outputs' pairs at b. */
// @ts-ignore: decorator
@inline function plusDot(sum: v128, pair: v128, b: usize): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(pair, v128.load8x8_s(b)));
}

/**
 * Matrix times vector: fully connected layers of one row. What counts here is to read little, so weights stay in 8 bits.
 *
 *   x        i8[depth]                        depth a multiple of 8; bytes behind the vector meet weights of 0
 *   weights  i8[pairs of blocks, depth / 2, 16, 2]
 *   scratch  offset  u32[1], in 16 bytes
 *            sums    i32[16]
 *            vector  i16[depth]
 */
export function matrixVector(layer: usize, x: usize, y: usize): void {
  const offset = scratch(layer);
  const sums = offset + 16;
  const vector = sums + 64;
  const end = vector + ((<usize>depth(layer)) << 1);
  let at = vector;
  do {
    v128.store(at, v128.load8x8_s(x));
    x += 8;
    at += 16;
  } while (at < end);
  store<u32>(offset, 0);
  const stop = blocksEnd(layer);
  let block = blocks(layer);
  let b = weights(layer);
  do {
    const second = block + BLOCK_BYTES < stop ? block + BLOCK_BYTES : block;
    let c0 = v128.load(block);
    let c1 = v128.load(block, 16);
    let c2 = v128.load(second);
    let c3 = v128.load(second, 16);
    at = vector;
    do {
      const pair = v128.load32_splat(at);
      c0 = plusDot(c0, pair, b);
      c1 = plusDot(c1, pair, b + 8);
      c2 = plusDot(c2, pair, b + 16);
      c3 = plusDot(c3, pair, b + 24);
      at += 4;
      b += 32;
    } while (at < end);
    v128.store(sums, c0);
    v128.store(sums, c1, 16);
    v128.store(sums, c2, 32);
    v128.store(sums, c3, 48);
    requantize(layer, block, y, offset, sums, 1);
    if (second != block) requantize(layer, second, y, offset, sums + 32, 1);
    block += 2 * BLOCK_BYTES;
  } while (block < stop);
}
