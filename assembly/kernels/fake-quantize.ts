import { magicF32 } from "../core/constants";
import { BLOCK, code, roundedLanes } from "../core/rounding";

// Rounds float32 values to the grid: dequantize(quantize(x)) in one pass.
//
//     out[i] = fl((clamp(rne(fl(x[i] / scale)) + zeroPoint, qmin, qmax) - zeroPoint) * scale)
//
// Shapes (pointers are byte offsets in linear memory):
//   x    f32[n]   read
//   out  f32[n]   written, may be x itself
// Per channel, element i uses entry i mod period (as in quantize.ts) of scale f32[period] and zeroPoint i32[period].
//
// Rounding: the code once to nearest, ties to even; the product once. NaN gives 0, +-Infinity an end of the range.
// Overflow: none in the code; the product may overflow to +-Infinity only where scale * (qmax - zeroPoint) does.
// Errors: none here; the typed facade checks arguments, the debug build asserts.
// Source: Jacob et al. 2018, eq. 12.

// @ts-ignore: decorator
@inline function gridLanes(x: v128, scale: v128, lo: v128, hi: v128, magic: v128): v128 {
  return f32x4.mul(f32x4.sub(roundedLanes(x, scale, lo, hi, magic), magic), scale);
}

/** The same with a zero point per lane. */
// @ts-ignore: decorator
@inline function channelLanes(x: v128, scale: v128, zeroPoint: v128, qmin: v128, qmax: v128, magic: v128): v128 {
  const lo = f32x4.convert_i32x4_s(i32x4.sub(qmin, zeroPoint));
  const hi = f32x4.convert_i32x4_s(i32x4.sub(qmax, zeroPoint));
  return gridLanes(x, scale, lo, hi, magic);
}

// @ts-ignore: decorator
@inline function gridValue(x: f32, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): f32 {
  return <f32>(code(x, scale, zeroPoint, qmin, qmax) - zeroPoint) * scale;
}

/**
 * x / scale rounded, ties to even; NaN stays NaN. Adding magic, 1.5 * 2^23, rounds to an integer below 2^22 and is taken off
 * again exactly; what is beyond 2^22 stays beyond every code, so that clamping afterwards gives what clamping before does.
 */
// @ts-ignore: decorator
@inline function quotientLanes(x: v128, scale: v128, magic: v128): v128 {
  return f32x4.sub(f32x4.add(f32x4.div(x, scale), magic), magic);
}

/** The value of a rounded quotient on the grid; NaN stays NaN. */
// @ts-ignore: decorator
@inline function clampedLanes(rounded: v128, scale: v128, lo: v128, hi: v128): v128 {
  return f32x4.mul(f32x4.pmin(f32x4.pmax(rounded, lo), hi), scale);
}

/** Puts 0 for NaN in blocks of values. */
function eraseNaN(values: usize, end: usize): void {
  for (; values < end; values += 16) {
    const v = v128.load(values);
    v128.store(values, v128.and(v, f32x4.eq(v, v)));
  }
}

export function fakeQuantizeF32(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  assert(scale > 0 && qmin <= zeroPoint && zeroPoint <= qmax);
  const blocks = out;
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  if (x < end) {
    const s = f32x4.splat(scale);
    const lo = f32x4.splat(<f32>(qmin - zeroPoint));
    const hi = f32x4.splat(<f32>(qmax - zeroPoint));
    const magic = magicF32();
    // NaN when there is one (or infinities of both signs): looking once at the end is 1.15 times as fast as a mask each.
    let sum = f32x4.splat(0);
    do {
      const a = quotientLanes(v128.load(x), s, magic);
      const b = quotientLanes(v128.load(x, 16), s, magic);
      const c = quotientLanes(v128.load(x, 32), s, magic);
      const d = quotientLanes(v128.load(x, 48), s, magic);
      sum = f32x4.add(sum, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
      v128.store(out, clampedLanes(a, s, lo, hi));
      v128.store(out, clampedLanes(b, s, lo, hi), 16);
      v128.store(out, clampedLanes(c, s, lo, hi), 32);
      v128.store(out, clampedLanes(d, s, lo, hi), 48);
      x += 4 * BLOCK;
      out += 4 * BLOCK;
    } while (x < end);
    if (v128.any_true(f32x4.ne(sum, sum))) eraseNaN(blocks, out);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, gridValue(load<f32>(x), scale, zeroPoint, qmin, qmax));
    x += 4;
    out += 4;
  }
}

export function fakeQuantizeF32PerChannel(
  x: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
  qmin: i32,
  qmax: i32,
): void {
  assert(period >= BLOCK);
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  let c: usize = 0; // byte offset in the tables
  if (x < end) {
    const low = i32x4.splat(qmin);
    const high = i32x4.splat(qmax);
    const magic = magicF32();
    do {
      const s = scale + c;
      const z = zeroPoint + c;
      v128.store(out, channelLanes(v128.load(x), v128.load(s), v128.load(z), low, high, magic));
      v128.store(out, channelLanes(v128.load(x, 16), v128.load(s, 16), v128.load(z, 16), low, high, magic), 16);
      v128.store(out, channelLanes(v128.load(x, 32), v128.load(s, 32), v128.load(z, 32), low, high, magic), 32);
      v128.store(out, channelLanes(v128.load(x, 48), v128.load(s, 48), v128.load(z, 48), low, high, magic), 48);
      x += 4 * BLOCK;
      out += 4 * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (x < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, gridValue(load<f32>(x), load<f32>(scale + c), load<i32>(zeroPoint + c), qmin, qmax));
    x += 4;
    out += 4;
    c += 4;
  }
}
