import { magicF32 } from "../core/constants";
import { BLOCK, code, roundedLanes } from "../core/rounding";

// Rounds float32 values to the grid: dequantize(quantize(x)) in one pass.
//
//     out[i] = fl((clamp(rne(fl(x[i] / scale)) + zeroPoint, qmin, qmax) - zeroPoint) * scale)
//
// Shapes (pointers are byte offsets in linear memory):
//   x    f32[n]   read
//   out  f32[n]   written, may be x itself
// Per channel, element i uses entry i mod period (a multiple of 16) of scale f32[period] and zeroPoint i32[period].
//
// Rounding: the code once to nearest, ties to even; the product once. NaN gives 0, +-Infinity an end of the range.
// Overflow: none in the code; the product may overflow to +-Infinity only where scale * (qmax - zeroPoint) does.
// Errors: none here; the typed facade checks arguments, the debug build asserts.
// Source: Jacob et al. 2018, eq. 12.

// @ts-ignore: decorator
@inline function gridLanes(x: v128, scale: v128, lo: v128, hi: v128, magic: v128): v128 {
  return f32x4.mul(f32x4.sub(roundedLanes(x, scale, lo, hi, magic), magic), scale);
}

// @ts-ignore: decorator
@inline function gridValue(x: f32, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): f32 {
  return <f32>(code(x, scale, zeroPoint, qmin, qmax) - zeroPoint) * scale;
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
  assert(period > 0 && period % BLOCK == 0);
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  let c: usize = 0; // byte offset in the tables
  if (x < end) {
    const low = i32x4.splat(qmin);
    const high = i32x4.splat(qmax);
    const magic = magicF32();
    do {
      for (let lane: usize = 0; lane < 4 * BLOCK; lane += 16) {
        const s = v128.load(scale + c + lane);
        const z = v128.load(zeroPoint + c + lane);
        const lo = f32x4.convert_i32x4_s(i32x4.sub(low, z));
        const hi = f32x4.convert_i32x4_s(i32x4.sub(high, z));
        v128.store(out + lane, gridLanes(v128.load(x + lane), s, lo, hi, magic));
      }
      x += 4 * BLOCK;
      out += 4 * BLOCK;
      c += 4 * BLOCK;
      c = c == period << 2 ? 0 : c;
    } while (x < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, gridValue(load<f32>(x), load<f32>(scale + c), load<i32>(zeroPoint + c), qmin, qmax));
    x += 4;
    out += 4;
    c += 4;
  }
}
