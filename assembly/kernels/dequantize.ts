import { BLOCK } from "../core/rounding";

// Real values of integer codes.
//
//     out[i] = fl((q[i] - zeroPoint) * scale)
//
// Shapes (pointers are byte offsets in linear memory):
//   q    i8, u8, i16 or u16[n]      read
//   out  f32[n]                     written, must not overlap q
// Per channel, element i uses entry i mod period (as in quantize.ts) of scale f32[period] and zeroPoint i32[period].
//
// Rounding: once, in the product; |q - zeroPoint| < 2^17 is exact in float32.
// Errors: none here; the typed facade checks arguments, the debug build asserts.
// Source: Jacob et al. 2018, eq. 1.

/** Four codes at q as i32x4. */
// @ts-ignore: decorator
@inline function loadCodes<T>(q: usize): v128 {
  if (sizeof<T>() == 2) return isSigned<T>() ? v128.load16x4_s(q) : v128.load16x4_u(q);
  const halves = v128.load32_zero(q);
  if (isSigned<T>()) return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(halves));
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(halves));
}

// @ts-ignore: decorator
@inline function realLanes(q: v128, scale: v128, zeroPoint: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(q, zeroPoint)), scale);
}

// @ts-ignore: decorator
@inline function real<T>(q: usize, scale: f32, zeroPoint: i32): f32 {
  return <f32>(<i32>load<T>(q) - zeroPoint) * scale;
}

// @ts-ignore: decorator
@inline function dequantize<T>(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  const end = q + (n & ~(BLOCK - 1)) * sizeof<T>();
  if (q < end) {
    const s = f32x4.splat(scale);
    const z = i32x4.splat(zeroPoint);
    do {
      v128.store(out, realLanes(loadCodes<T>(q), s, z));
      v128.store(out, realLanes(loadCodes<T>(q + 4 * sizeof<T>()), s, z), 16);
      v128.store(out, realLanes(loadCodes<T>(q + 8 * sizeof<T>()), s, z), 32);
      v128.store(out, realLanes(loadCodes<T>(q + 12 * sizeof<T>()), s, z), 48);
      q += sizeof<T>() * BLOCK;
      out += 4 * BLOCK;
    } while (q < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, real<T>(q, scale, zeroPoint));
    q += sizeof<T>();
    out += 4;
  }
}

// @ts-ignore: decorator
@inline function dequantizePerChannel<T>(
  q: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
): void {
  assert(period >= BLOCK);
  const end = q + (n & ~(BLOCK - 1)) * sizeof<T>();
  let c: usize = 0; // byte offset in the tables
  if (q < end) {
    do {
      const s = scale + c;
      const z = zeroPoint + c;
      v128.store(out, realLanes(loadCodes<T>(q), v128.load(s), v128.load(z)));
      v128.store(out, realLanes(loadCodes<T>(q + 4 * sizeof<T>()), v128.load(s, 16), v128.load(z, 16)), 16);
      v128.store(out, realLanes(loadCodes<T>(q + 8 * sizeof<T>()), v128.load(s, 32), v128.load(z, 32)), 32);
      v128.store(out, realLanes(loadCodes<T>(q + 12 * sizeof<T>()), v128.load(s, 48), v128.load(z, 48)), 48);
      q += sizeof<T>() * BLOCK;
      out += 4 * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (q < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, real<T>(q, load<f32>(scale + c), load<i32>(zeroPoint + c)));
    q += sizeof<T>();
    out += 4;
    c += 4;
  }
}

export function dequantizeI8ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantize<i8>(q, out, n, scale, zeroPoint);
}

export function dequantizeU8ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantize<u8>(q, out, n, scale, zeroPoint);
}

export function dequantizeI16ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantize<i16>(q, out, n, scale, zeroPoint);
}

export function dequantizeU16ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantize<u16>(q, out, n, scale, zeroPoint);
}

export function dequantizeI8ToF32PerChannel(
  q: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
): void {
  dequantizePerChannel<i8>(q, out, n, scale, zeroPoint, period);
}

export function dequantizeU8ToF32PerChannel(
  q: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
): void {
  dequantizePerChannel<u8>(q, out, n, scale, zeroPoint, period);
}

export function dequantizeI16ToF32PerChannel(
  q: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
): void {
  dequantizePerChannel<i16>(q, out, n, scale, zeroPoint, period);
}

export function dequantizeU16ToF32PerChannel(
  q: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
): void {
  dequantizePerChannel<u16>(q, out, n, scale, zeroPoint, period);
}
