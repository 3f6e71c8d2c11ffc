// The transforms of F(2 x 2, 3 x 3).
//
//     B' = 1  0 -1  0      2G = 2  0  0      A' = 1  1  1  0
//          0  1  1  0           1  1  1           0  1 -1 -1
//          0 -1  1  0           1 -1  1
//          0  1  0 -1           0  0  2
//
// B' d B of codes is at most 512 in magnitude, (2G) g (2G)' at most 9 * 128, and the sums are 4 y mod 2^32: exact while
// |y| < 2^29, which the plan proves from the weights. Source: Lavin and Gray 2016.

/** B' of four rows of one column: to t, rows 256 bytes apart. */
// @ts-ignore: decorator
@inline function column(p: usize, row: usize, t: usize): void {
  const d0 = v128.load8x8_s(p);
  const d1 = v128.load8x8_s(p + row);
  const d2 = v128.load8x8_s(p + 2 * row);
  const d3 = v128.load8x8_s(p + 3 * row);
  v128.store(t, i16x8.sub(d0, d2));
  v128.store(t, i16x8.add(d1, d2), 256);
  v128.store(t, i16x8.sub(d2, d1), 512);
  v128.store(t, i16x8.sub(d1, d3), 768);
}

/** B' d B of eight channels of a tile: d i8 at p, pixels and rows as told; t i16[4, 4], 64 bytes apart. */
export function winogradInput2(p: usize, pixel: i32, row: usize, t: usize): void {
  const stop = t + 256;
  let at = t;
  do {
    column(p, row, at);
    p += pixel;
    at += 64;
  } while (at < stop);
  const end = t + 1024;
  do {
    const d0 = v128.load(t);
    const d1 = v128.load(t, 64);
    const d2 = v128.load(t, 128);
    const d3 = v128.load(t, 192);
    v128.store(t, i16x8.sub(d0, d2));
    v128.store(t, i16x8.add(d1, d2), 64);
    v128.store(t, i16x8.sub(d2, d1), 128);
    v128.store(t, i16x8.sub(d1, d3), 192);
    t += 256;
  } while (t < end);
}

/** A' m A / 4 + bias of four tiles: m i32[4, 4, tile, 8], results i32[tile, 2, 2, 8]. */
export function winogradOutput2(m: usize, results: usize, bias: usize): void {
  const end = m + 128;
  do {
    for (let half: usize = 0; half < 32; half += 16) {
      const start = v128.load(bias + half);
      const at = m + half;
      let to = results + half;
      for (let r = 0; r < 2; ++r) {
        // Rows r, r + 1 and r + 2, the last two subtracted in the second.
        const p = at + r * 512;
        const sign = r == 0 ? i32x4.splat(0) : i32x4.splat(-1);
        const c0 = plus3(p, sign);
        const c1 = plus3(p + 128, sign);
        const c2 = plus3(p + 256, sign);
        const c3 = plus3(p + 384, sign);
        v128.store(to, i32x4.add(start, i32x4.shr_s(i32x4.add(i32x4.add(c0, c1), c2), 2)));
        v128.store(to, i32x4.add(start, i32x4.shr_s(i32x4.sub(i32x4.sub(c1, c2), c3), 2)), 32);
        to += 64;
      }
    }
    results += 128;
    m += 32;
  } while (m < end);
}

/** Row p plus or minus (sign -1) the two below it. */
// @ts-ignore: decorator
@inline function plus3(p: usize, sign: v128): v128 {
  const others = i32x4.add(v128.load(p, 512), v128.load(p, 1024));
  return i32x4.add(v128.load(p), i32x4.sub(v128.xor(others, sign), sign));
}
