/** Blocks of this many elements go through the vector loops; what is left goes one by one. */
// @ts-ignore: decorator
@inline export const BLOCK: usize = 16;

/** x / scale with NaN replaced by 0, which maps to the zero point. */
// @ts-ignore: decorator
@inline export function scaledLanes(x: v128, scale: v128): v128 {
  const v = f32x4.div(x, scale);
  return v128.and(v, f32x4.eq(v, v));
}

/**
 * Four codes minus their zero point, as the low bits of 1.5 * 2^23 + (q - zeroPoint).
 *
 * lo = qmin - zeroPoint and hi = qmax - zeroPoint are integers, so clamping before rounding equals clamping after it;
 * |lo|, |hi| <= 2^17 keeps the rounding addition exact. Ties to even.
 */
// @ts-ignore: decorator
@inline export function roundedLanes(x: v128, scale: v128, lo: v128, hi: v128, magic: v128): v128 {
  return f32x4.add(magic, f32x4.pmin(hi, f32x4.pmax(lo, scaledLanes(x, scale))));
}

/**
 * Four codes with a zero point per lane, less m, clamped to [lo, hi], which are qmin and qmax less m; far is beyondCodes, magic
 * is magicF32, base is magicBits + m.
 */
// @ts-ignore: decorator
@inline export function codeLanes(
  x: v128,
  scale: v128,
  zeroPoint: v128,
  lo: v128,
  hi: v128,
  far: v128,
  magic: v128,
  base: v128,
): v128 {
  const v = f32x4.pmin(far, f32x4.pmax(f32x4.neg(far), scaledLanes(x, scale)));
  const q = i32x4.add(i32x4.sub(f32x4.add(magic, v), base), zeroPoint);
  return i32x4.min_s(hi, i32x4.max_s(lo, q));
}

/** One code: clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax); NaN gives the zero point. */
// @ts-ignore: decorator
@inline export function code(x: f32, scale: f32, zeroPoint: i32, qmin: i32, qmax: i32): i32 {
  const r = nearest<f32>(x / scale);
  if (r != r) return zeroPoint;
  const lo = <f32>(qmin - zeroPoint);
  const hi = <f32>(qmax - zeroPoint);
  return zeroPoint + <i32>(r < lo ? lo : r > hi ? hi : r);
}
