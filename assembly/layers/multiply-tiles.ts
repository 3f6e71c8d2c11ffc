/** sum + the dot products of neighbouring i16. */
// @ts-ignore: decorator
@inline function plusDot(sum: v128, a: v128, b: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/**
 * Products of tiles: four rows of A times eight columns of B, the inner loop of convolutions and of Winograd's positions.
 *
 *     sums[t, r, c] = start[c] + Σ a[t, k, r] * b[t, k, c]   over k
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   a      i16[tiles, depth / 2, 4, 2]   read, up to `end`; a tile takes tileBytes = 8 * depth
 *   b      i16[tiles, depth / 2, 8, 2]   read; B goes back by rewind bytes after a tile: all of it for tiles that share one B
 *   start  i32[8]                        read
 *   sums   i32[tiles, 4, 8]              written
 *
 * Overflow: sums are mod 2^32. Eight sums of four lanes, two registers of B and one of A are all that 16 registers hold.
 */
export function multiplyTiles(
  a: usize,
  end: usize,
  tileBytes: usize,
  b: usize,
  rewind: usize,
  start: usize,
  sums: usize,
): void {
  do {
    let c00 = v128.load(start);
    let c01 = v128.load(start, 16);
    let c10 = c00;
    let c11 = c01;
    let c20 = c00;
    let c21 = c01;
    let c30 = c00;
    let c31 = c01;
    const tileEnd = a + tileBytes;
    do {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let row = v128.load32_splat(a);
      c00 = plusDot(c00, row, b0);
      c01 = plusDot(c01, row, b1);
      row = v128.load32_splat(a, 4);
      c10 = plusDot(c10, row, b0);
      c11 = plusDot(c11, row, b1);
      row = v128.load32_splat(a, 8);
      c20 = plusDot(c20, row, b0);
      c21 = plusDot(c21, row, b1);
      row = v128.load32_splat(a, 12);
      c30 = plusDot(c30, row, b0);
      c31 = plusDot(c31, row, b1);
      a += 16;
      b += 32;
    } while (a < tileEnd);
    v128.store(sums, c00);
    v128.store(sums, c01, 16);
    v128.store(sums, c10, 32);
    v128.store(sums, c11, 48);
    v128.store(sums, c20, 64);
    v128.store(sums, c21, 80);
    v128.store(sums, c30, 96);
    v128.store(sums, c31, 112);
    sums += 128;
    b -= rewind;
  } while (a < end);
}
