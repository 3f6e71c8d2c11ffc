import { magicF32, magnitudeMask } from "../core/constants";
import { CHUNK, closeLanes, distanceLanes, mayMultiply, roundLanes } from "../core/near-ties";
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

/** The value of a rounded quotient on the grid. */
// @ts-ignore: decorator
@inline function clampedLanes(rounded: v128, scale: v128, lo: v128, hi: v128): v128 {
  return f32x4.mul(f32x4.pmin(hi, f32x4.pmax(lo, rounded)), scale);
}

/** By the division of the definition: wide grids, chunks that come close to a tie, what is left of the others. */
function fakeQuantizeExactly(x: usize, out: usize, n: usize, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): void {
  assert(scale > 0 && qmin <= zeroPoint && zeroPoint <= qmax);
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  if (x < end) {
    const s = f32x4.splat(scale);
    const lo = f32x4.splat(<f32>(qmin - zeroPoint));
    const hi = f32x4.splat(<f32>(qmax - zeroPoint));
    const magic = magicF32();
    do {
      v128.store(out, gridLanes(v128.load(x), s, lo, hi, magic));
      v128.store(out, gridLanes(v128.load(x, 16), s, lo, hi, magic), 16);
      v128.store(out, gridLanes(v128.load(x, 32), s, lo, hi, magic), 32);
      v128.store(out, gridLanes(v128.load(x, 48), s, lo, hi, magic), 48);
      x += 4 * BLOCK;
      out += 4 * BLOCK;
    } while (x < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, gridValue(load<f32>(x), scale, zeroPoint, qmin, qmax));
    x += 4;
    out += 4;
  }
}

/**
 * To grids of at most 256 codes by products instead of half of the divisions (near-ties.ts): the divider works on one half
 * of each block while the other units work on the other. In place there would be nothing left to do a chunk again from, so
 * all of it divides.
 */
export function fakeQuantizeF32(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  const chunks = x + (x != out && mayMultiply(scale, qmin, qmax) ? (n & ~(CHUNK - 1)) << 2 : 0);
  n -= (chunks - x) >> 2;
  if (x < chunks) {
    const s = f32x4.splat(scale);
    const inverse = f32x4.splat(<f32>1 / scale);
    const lo = f32x4.splat(<f32>(qmin - zeroPoint));
    const hi = f32x4.splat(<f32>(qmax - zeroPoint));
    const magic = magicF32();
    const magnitude = magnitudeMask();
    do {
      let largest = i32x4.splat(0);
      let sum = f32x4.splat(0); // NaN when a quotient is
      const end = x + 4 * CHUNK;
      do {
        const c = roundLanes(f32x4.div(v128.load(x, 32), s), magic);
        const d = roundLanes(f32x4.div(v128.load(x, 48), s), magic);
        const v = f32x4.mul(v128.load(x), inverse);
        const w = f32x4.mul(v128.load(x, 16), inverse);
        const a = roundLanes(v, magic);
        const b = roundLanes(w, magic);
        largest = i32x4.max_s(largest, i32x4.max_s(distanceLanes(v, a, magnitude), distanceLanes(w, b, magnitude)));
        sum = f32x4.add(sum, f32x4.add(c, d));
        v128.store(out, clampedLanes(a, s, lo, hi));
        v128.store(out, clampedLanes(b, s, lo, hi), 16);
        v128.store(out, clampedLanes(c, s, lo, hi), 32);
        v128.store(out, clampedLanes(d, s, lo, hi), 48);
        x += 4 * BLOCK;
        out += 4 * BLOCK;
      } while (x < end);
      if (v128.any_true(v128.or(closeLanes(largest), f32x4.ne(sum, sum)))) {
        fakeQuantizeExactly(x - 4 * CHUNK, out - 4 * CHUNK, CHUNK, scale, zeroPoint, qmin, qmax);
      }
    } while (x < chunks);
  }
  fakeQuantizeExactly(x, out, n, scale, zeroPoint, qmin, qmax);
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
