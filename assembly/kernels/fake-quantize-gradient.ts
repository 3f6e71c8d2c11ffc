import { BLOCK } from "../core/rounding";

// Straight-through gradient of fakeQuantize, by thresholds.
//
//     out[i] = dy[i] where lo <= x[i] <= hi, else 0
//
// lo and hi are the smallest and the largest float32 whose rounded code lies on the grid (straightThroughBounds in the
// typed facade): the rule of the reference, without a division. Comparisons with NaN are false, so NaN in x gives 0.
//
// Shapes (pointers are byte offsets in linear memory):
//   dy   f32[n]   read
//   x    f32[n]   read
//   out  f32[n]   written, may be dy or x
// Per channel, element i uses entry i mod period (as in quantize.ts) of lo f32[period] and hi f32[period].
//
// Rounding: none; values of dy are copied. Errors: none here; the debug build asserts.
// Source: Krishnamoorthi 2018, section 2.4.

// @ts-ignore: decorator
@inline function passedLanes(dy: v128, x: v128, lo: v128, hi: v128): v128 {
  return v128.and(dy, v128.and(f32x4.ge(x, lo), f32x4.le(x, hi)));
}

// @ts-ignore: decorator
@inline function passed(dy: f32, x: f32, lo: f32, hi: f32): f32 {
  return x >= lo && x <= hi ? dy : 0;
}

export function fakeQuantizeGradientF32(dy: usize, x: usize, out: usize, n: usize, lo: f32, hi: f32): void {
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  if (x < end) {
    const low = f32x4.splat(lo);
    const high = f32x4.splat(hi);
    do {
      v128.store(out, passedLanes(v128.load(dy), v128.load(x), low, high));
      v128.store(out, passedLanes(v128.load(dy, 16), v128.load(x, 16), low, high), 16);
      v128.store(out, passedLanes(v128.load(dy, 32), v128.load(x, 32), low, high), 32);
      v128.store(out, passedLanes(v128.load(dy, 48), v128.load(x, 48), low, high), 48);
      dy += 4 * BLOCK;
      x += 4 * BLOCK;
      out += 4 * BLOCK;
    } while (x < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, passed(load<f32>(dy), load<f32>(x), lo, hi));
    dy += 4;
    x += 4;
    out += 4;
  }
}

export function fakeQuantizeGradientF32PerChannel(
  dy: usize,
  x: usize,
  out: usize,
  n: usize,
  lo: usize,
  hi: usize,
  period: usize,
): void {
  assert(period >= BLOCK);
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  let c: usize = 0; // byte offset in the tables
  if (x < end) {
    do {
      const l = lo + c;
      const h = hi + c;
      v128.store(out, passedLanes(v128.load(dy), v128.load(x), v128.load(l), v128.load(h)));
      v128.store(out, passedLanes(v128.load(dy, 16), v128.load(x, 16), v128.load(l, 16), v128.load(h, 16)), 16);
      v128.store(out, passedLanes(v128.load(dy, 32), v128.load(x, 32), v128.load(l, 32), v128.load(h, 32)), 32);
      v128.store(out, passedLanes(v128.load(dy, 48), v128.load(x, 48), v128.load(l, 48), v128.load(h, 48)), 48);
      dy += 4 * BLOCK;
      x += 4 * BLOCK;
      out += 4 * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (x < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, passed(load<f32>(dy), load<f32>(x), load<f32>(lo + c), load<f32>(hi + c)));
    dy += 4;
    x += 4;
    out += 4;
    c += 4;
  }
}
