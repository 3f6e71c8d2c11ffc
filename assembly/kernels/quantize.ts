import { beyondCodes, fixedZero, fractionMask, magicBits, magicF32 } from "../core/constants";
import {
  CHUNK,
  closeFixed,
  codesFromWhole,
  fixedLanes,
  fixedOrigin,
  smallerFraction,
  wholeLanes,
} from "../core/near-ties";
import { BLOCK, code, codeLanes, roundedLanes } from "../core/rounding";

// Quantizes float32 values to integer codes.
//
//     out[i] = clamp(rne(fl(x[i] / scale)) + zeroPoint, qmin, qmax)
//
// Shapes (pointers are byte offsets in linear memory):
//   x    f32[n]                     read
//   out  i8, u8, i16 or u16[n]      written, must not overlap x
// Per channel, element i uses entry i mod period of two tables, or the entry one period later. Where the period (at least 16)
// is no multiple of 16, the tables begin anew behind it for 15 more entries, so that 16 of them can be read anywhere:
//   scale      f32[period + 15]     read
//   zeroPoint  i32[period + 15]     read
//
// Rounding: one float32 division, once to nearest, ties to even, before the zero point is added. +-Infinity saturates, NaN
// gives the zero point.
// Overflow: none; |q - zeroPoint| < 2^17 is exact in float32, and values are clamped before they are narrowed.
// Errors: none here; the typed facade checks arguments, the debug build asserts.
// Source: ONNX QuantizeLinear; Jacob et al. 2018, eq. 1.

/** Stores 16 codes held in four i32x4, less the middle, as T. */
// @ts-ignore: decorator
@inline function storeCodes<T>(out: usize, a: v128, b: v128, c: v128, d: v128, middle: i32): void {
  const lo = i16x8.narrow_i32x4_s(a, b);
  const hi = i16x8.narrow_i32x4_s(c, d);
  if (sizeof<T>() == 1) {
    v128.store(out, i8x16.add(i8x16.narrow_i16x8_s(lo, hi), i8x16.splat(<i8>middle)));
  } else {
    v128.store(out, i16x8.add(lo, i16x8.splat(<i16>middle)));
    v128.store(out, i16x8.add(hi, i16x8.splat(<i16>middle)), 16);
  }
}

/** What codes are narrowed around, so that one function writes signed and unsigned ones: the middle of all their type holds. */
// @ts-ignore: decorator
@inline function middleOf<T>(qmin: i32): i32 {
  return qmin < 0 ? 0 : (<i32>1) << (8 * <i32>sizeof<T>() - 1);
}

/** By the division of the definition: 16-bit codes, chunks that come close to a tie, what is left of the others. */
function quantizeExactly<T>(x: usize, out: usize, n: usize, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): void {
  assert(scale > 0 && qmin <= zeroPoint && zeroPoint <= qmax);
  const end = out + (n & ~(BLOCK - 1)) * sizeof<T>();
  if (out < end) {
    const s = f32x4.splat(scale);
    const lo = f32x4.splat(<f32>(qmin - zeroPoint));
    const hi = f32x4.splat(<f32>(qmax - zeroPoint));
    const magic = magicF32();
    const middle = middleOf<T>(qmin);
    const base = i32x4.sub(magicBits(), i32x4.splat(zeroPoint - middle));
    do {
      storeCodes<T>(
        out,
        i32x4.sub(roundedLanes(v128.load(x), s, lo, hi, magic), base),
        i32x4.sub(roundedLanes(v128.load(x, 16), s, lo, hi, magic), base),
        i32x4.sub(roundedLanes(v128.load(x, 32), s, lo, hi, magic), base),
        i32x4.sub(roundedLanes(v128.load(x, 48), s, lo, hi, magic), base),
        middle,
      );
      x += 4 * BLOCK;
      out += sizeof<T>() * BLOCK;
    } while (out < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<T>(out, <T>code(load<f32>(x), scale, zeroPoint, qmin, qmax));
    x += 4;
    out += sizeof<T>();
  }
}

/** To 8-bit codes by products instead of divisions (near-ties.ts), 1.6 times as fast. */
function quantizeBytes(x: usize, out: usize, n: usize, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): void {
  const chunks = out + (n & ~(CHUNK - 1));
  n &= CHUNK - 1;
  if (out < chunks) {
    const inverse = f32x4.splat(<f32>1 / scale);
    const origin = fixedOrigin(zeroPoint, qmin);
    const mask = fractionMask();
    const zero = fixedZero();
    const lowest = i8x16.splat(<i8>qmin);
    const steps = i8x16.splat(<i8>(qmax - qmin));
    do {
      let smallestFraction = mask;
      let largestWhole = i16x8.splat(0);
      const end = out + CHUNK;
      do {
        const a = fixedLanes(v128.load(x), inverse, origin);
        const b = fixedLanes(v128.load(x, 16), inverse, origin);
        const c = fixedLanes(v128.load(x, 32), inverse, origin);
        const d = fixedLanes(v128.load(x, 48), inverse, origin);
        smallestFraction = smallerFraction(smallerFraction(smallestFraction, a, b, mask), c, d, mask);
        const lo = wholeLanes(a, b);
        const hi = wholeLanes(c, d);
        largestWhole = i16x8.max_u(largestWhole, i16x8.max_u(lo, hi));
        v128.store(out, i8x16.add(i8x16.min_u(codesFromWhole(lo, hi, zero), steps), lowest));
        x += 4 * BLOCK;
        out += BLOCK;
      } while (out < end);
      if (closeFixed(smallestFraction, largestWhole)) {
        quantizeExactly<i8>(x - 4 * CHUNK, out - CHUNK, CHUNK, scale, zeroPoint, qmin, qmax);
      }
    } while (out < chunks);
  }
  quantizeExactly<i8>(x, out, n, scale, zeroPoint, qmin, qmax);
}

function quantizePerChannel<T>(
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
  const end = out + (n & ~(BLOCK - 1)) * sizeof<T>();
  let c: usize = 0; // byte offset in the tables
  if (out < end) {
    const middle = middleOf<T>(qmin);
    const lo = i32x4.splat(qmin - middle);
    const hi = i32x4.splat(qmax - middle);
    const far = beyondCodes();
    const magic = magicF32();
    const base = i32x4.add(magicBits(), i32x4.splat(middle));
    do {
      const s = scale + c;
      const z = zeroPoint + c;
      storeCodes<T>(
        out,
        codeLanes(v128.load(x), v128.load(s), v128.load(z), lo, hi, far, magic, base),
        codeLanes(v128.load(x, 16), v128.load(s, 16), v128.load(z, 16), lo, hi, far, magic, base),
        codeLanes(v128.load(x, 32), v128.load(s, 32), v128.load(z, 32), lo, hi, far, magic, base),
        codeLanes(v128.load(x, 48), v128.load(s, 48), v128.load(z, 48), lo, hi, far, magic, base),
        middle,
      );
      x += 4 * BLOCK;
      out += sizeof<T>() * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (out < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<T>(out, <T>code(load<f32>(x), load<f32>(scale + c), load<i32>(zeroPoint + c), qmin, qmax));
    x += 4;
    out += sizeof<T>();
    c += 4;
  }
}

export function quantizeF32ToI8(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  quantizeBytes(x, out, n, scale, zeroPoint, qmin, qmax);
}

export function quantizeF32ToU8(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  quantizeBytes(x, out, n, scale, zeroPoint, qmin, qmax);
}

export function quantizeF32ToI16(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  quantizeExactly<i16>(x, out, n, scale, zeroPoint, qmin, qmax);
}

export function quantizeF32ToU16(
  x: usize,
  out: usize,
  n: usize,
  scale: f32,
  zeroPoint: i32,
  qmin: i32,
  qmax: i32,
): void {
  quantizeExactly<i16>(x, out, n, scale, zeroPoint, qmin, qmax);
}

export function quantizeF32ToI8PerChannel(
  x: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
  qmin: i32,
  qmax: i32,
): void {
  quantizePerChannel<i8>(x, out, n, scale, zeroPoint, period, qmin, qmax);
}

export function quantizeF32ToU8PerChannel(
  x: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
  qmin: i32,
  qmax: i32,
): void {
  quantizePerChannel<i8>(x, out, n, scale, zeroPoint, period, qmin, qmax);
}

export function quantizeF32ToI16PerChannel(
  x: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
  qmin: i32,
  qmax: i32,
): void {
  quantizePerChannel<i16>(x, out, n, scale, zeroPoint, period, qmin, qmax);
}

export function quantizeF32ToU16PerChannel(
  x: usize,
  out: usize,
  n: usize,
  scale: usize,
  zeroPoint: usize,
  period: usize,
  qmin: i32,
  qmax: i32,
): void {
  quantizePerChannel<i16>(x, out, n, scale, zeroPoint, period, qmin, qmax);
}
