// The transforms of F(4 x 4, 3 x 3), with the rows of G scaled to integers.
//
//     B' = 4  0 -5  0  1  0     G =  1  0  0     A' = 6  4  4  1  1  0   gives 24 times the result
//          0 -4 -4  1  1  0         -1 -1 -1          0  2 -2  1 -1  0         12
//          0  4 -4 -1  1  0         -1  1 -1          0  1  1  1  1  0          6
//          0 -2 -1  2  1  0          1  2  4          0  1 -1  2 -2  6          6
//          0  2 -1 -2  1  0          1 -2  4
//          0  4  0 -5  0  1          0  0  1
//
// B' d B of codes is at most 12 800 in magnitude, G g G' at most 6 272. Along both axes the factors of A' multiply: output (i, j)
// is 9 * 2^(e[i] + e[j]) * y mod 2^32, e = 3, 2, 1, 1. Multiplying by the inverse of 9 mod 2^32 leaves 2^(e[i] + e[j]) * y: exact
// while |y| < 2^25, which the plan proves from the weights. Source: Lavin and Gray 2016; the scaling is this library's own.

/** B' of six values, to t and on, `step` bytes apart. */
// @ts-ignore: decorator
@inline function transform(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, t: usize, step: usize): void {
  const e = i16x8.sub(d4, d2);
  const f = i16x8.sub(d3, d1);
  const f2 = i16x8.add(f, f);
  v128.store(t, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), e));
  v128.store(t + step, i16x8.sub(i16x8.add(d3, d4), i16x8.shl(i16x8.add(d1, d2), 2)));
  v128.store(t + 2 * step, i16x8.add(i16x8.sub(d4, d3), i16x8.shl(i16x8.sub(d1, d2), 2)));
  v128.store(t + 3 * step, i16x8.add(e, f2));
  v128.store(t + 4 * step, i16x8.sub(e, f2));
  v128.store(t + 5 * step, i16x8.sub(i16x8.sub(d5, d3), i16x8.add(f2, f2)));
}

/** B' d B of eight channels of a tile: d i8 at p, pixels and rows as told; work 576 bytes; t i16[6, 6], 64 bytes apart. */
export function winogradInput4(p: usize, pixel: i32, row: usize, work: usize, t: usize): void {
  let at = work;
  let stop = work + 96;
  do {
    transform(
      v128.load8x8_s(p),
      v128.load8x8_s(p + row),
      v128.load8x8_s(p + 2 * row),
      v128.load8x8_s(p + 3 * row),
      v128.load8x8_s(p + 4 * row),
      v128.load8x8_s(p + 5 * row),
      at,
      96,
    );
    p += pixel;
    at += 16;
  } while (at < stop);
  at = work;
  stop = work + 576;
  do {
    transform(
      v128.load(at),
      v128.load(at, 16),
      v128.load(at, 32),
      v128.load(at, 48),
      v128.load(at, 64),
      v128.load(at, 80),
      t,
      64,
    );
    t += 384;
    at += 96;
  } while (at < stop);
}

// @ts-ignore: decorator
@inline function twice(a: v128): v128 {
  return i32x4.add(a, a);
}

/** Row 0 of A'. */
// @ts-ignore: decorator
@inline function row0(m0: v128, a: v128, c: v128): v128 {
  return i32x4.add(twice(i32x4.add(twice(i32x4.add(m0, a)), m0)), c);
}

/** Row 3 of A'. */
// @ts-ignore: decorator
@inline function row3(m5: v128, b: v128, e: v128): v128 {
  return i32x4.add(twice(i32x4.add(i32x4.add(twice(m5), m5), e)), b);
}

/** A value times the inverse of 9, shifted, with the bias. */
// @ts-ignore: decorator
@inline function finish(value: v128, ninth: v128, shift: i32, bias: v128): v128 {
  return i32x4.add(bias, i32x4.shr_s(i32x4.mul(value, ninth), shift));
}

/** A' m A, divided, + bias of four tiles: m i32[6, 6, tile, 8], work 384 bytes, results i32[tile, 4, 4, 8]. */
export function winogradOutput4(m: usize, work: usize, results: usize, bias: usize): void {
  const ninth = i32x4.splat(0x38e38e39);
  const end = m + 128;
  do {
    for (let half: usize = 0; half < 32; half += 16) {
      let p = m + half;
      let w = work;
      const columnsEnd = work + 96;
      do {
        const m1 = v128.load(p, 768);
        const m2 = v128.load(p, 1536);
        const m3 = v128.load(p, 2304);
        const m4 = v128.load(p, 3072);
        const a = i32x4.add(m1, m2);
        const b = i32x4.sub(m1, m2);
        const c = i32x4.add(m3, m4);
        const e = i32x4.sub(m3, m4);
        v128.store(w, row0(v128.load(p), a, c));
        v128.store(w, i32x4.add(twice(b), e), 96);
        v128.store(w, i32x4.add(a, c), 192);
        v128.store(w, row3(v128.load(p, 3840), b, e), 288);
        p += 128;
        w += 16;
      } while (w < columnsEnd);
      const start = v128.load(bias + half);
      let to = results + half;
      w = work;
      for (let i = 0; i < 4; ++i) {
        const shift = max(3 - i, 1);
        const m1 = v128.load(w, 16);
        const m2 = v128.load(w, 32);
        const m3 = v128.load(w, 48);
        const m4 = v128.load(w, 64);
        const a = i32x4.add(m1, m2);
        const b = i32x4.sub(m1, m2);
        const c = i32x4.add(m3, m4);
        const e = i32x4.sub(m3, m4);
        v128.store(to, finish(row0(v128.load(w), a, c), ninth, shift + 3, start));
        v128.store(to, finish(i32x4.add(twice(b), e), ninth, shift + 2, start), 32);
        v128.store(to, finish(i32x4.add(a, c), ninth, shift + 1, start), 64);
        v128.store(to, finish(row3(v128.load(w, 80), b, e), ninth, shift + 1, start), 96);
        to += 128;
        w += 96;
      }
    }
    results += 512;
    m += 32;
  } while (m < end);
}
