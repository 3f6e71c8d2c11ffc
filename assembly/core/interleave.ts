// Sums of products are made of pairs: i32x4.dot_i16x8_s multiplies eight i16 and adds neighbours. So what is multiplied lies
// as [depth / 2][4 columns][2]: one load brings the same two steps of depth of four pixels (or tiles).

/** Interleaves four rows of eight i16 to [4 pairs][4 rows][2]: 64 bytes. */
// @ts-ignore: decorator
@inline export function storePairs(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 1, 3), 16);
  v128.store(to, v128.shuffle<i64>(ab1, cd1, 0, 2), 32);
  v128.store(to, v128.shuffle<i64>(ab1, cd1, 1, 3), 48);
}
