import { signBytes, upperHalves } from "../core/constants";
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

/** Values of codes given as 2^23 + code; zero is what stands for 0 there. The difference of the two is exact. */
// @ts-ignore: decorator
@inline function valueLanes(codes: v128, zero: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.sub(codes, zero), scale);
}

/** The codes of 4 lanes, u16, under the upper half of 2^23: the float32 2^23 + code. */
// @ts-ignore: decorator
@inline function lowUnder(codes: v128, upper: v128): v128 {
  return i8x16.shuffle(codes, upper, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
}

// @ts-ignore: decorator
@inline function highUnder(codes: v128, upper: v128): v128 {
  return i8x16.shuffle(codes, upper, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
}

/**
 * From bytes: interleaving them with the upper half of 2^23 makes them float32 without a conversion, 1.35 times as fast as
 * widening, subtracting and converting. Signed codes are moved up by 128 first, and so is their zero point.
 */
// @ts-ignore: decorator
@inline function dequantizeBytes<T>(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  const end = q + (n & ~(BLOCK - 1));
  if (q < end) {
    const s = f32x4.splat(scale);
    const zero = f32x4.splat(<f32>(zeroPoint + (isSigned<T>() ? 8388736 : 8388608)));
    const sign = signBytes();
    const upper = upperHalves();
    const none = i32x4.splat(0);
    do {
      const codes = isSigned<T>() ? v128.xor(v128.load(q), sign) : v128.load(q);
      const a = i8x16.shuffle(codes, none, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const b = i8x16.shuffle(codes, none, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      v128.store(out, valueLanes(lowUnder(a, upper), zero, s));
      v128.store(out, valueLanes(highUnder(a, upper), zero, s), 16);
      v128.store(out, valueLanes(lowUnder(b, upper), zero, s), 32);
      v128.store(out, valueLanes(highUnder(b, upper), zero, s), 48);
      q += BLOCK;
      out += 4 * BLOCK;
    } while (q < end);
  }
  dequantizeRest<T>(q, out, n & (BLOCK - 1), scale, zeroPoint);
}

// @ts-ignore: decorator
@inline function dequantizeWords<T>(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
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
  dequantizeRest<T>(q, out, n & (BLOCK - 1), scale, zeroPoint);
}

// @ts-ignore: decorator
@inline function dequantizeRest<T>(q: usize, out: usize, rest: usize, scale: f32, zeroPoint: i32): void {
  for (; rest > 0; --rest) {
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
  dequantizeBytes<i8>(q, out, n, scale, zeroPoint);
}

export function dequantizeU8ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantizeBytes<u8>(q, out, n, scale, zeroPoint);
}

export function dequantizeI16ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantizeWords<i16>(q, out, n, scale, zeroPoint);
}

export function dequantizeU16ToF32(q: usize, out: usize, n: usize, scale: f32, zeroPoint: i32): void {
  dequantizeWords<u16>(q, out, n, scale, zeroPoint);
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
