// Rounding to a grid of at most 256 codes without a division, and how to notice where that is not good enough.
//
// The definition divides: q = fl(x / scale), then rounds q to an integer. Dividing four lanes takes the divider as long as
// ten other operations take. The product v = fl(x * fl(1 / scale)) is nearly q:
//
//     |v - q| <= (3 * 2^-24 + tiny) |q| < 1.5 * 2^-15    for |q| <= 255.5, which holds all codes less their zero point
//
// (one rounding each in 1 / scale, in the product and in q), so both round to the same integer unless v is that close to
// a tie. quantize rounds v, and watches how close to a tie it comes; a chunk with such a value, or with NaN, is done again with
// the division. In random data that is one chunk in 75; where every chunk has a tie, it all takes 1.9 times the division.
//
// Beyond the grid v and q are both clamped to its end. 1 / scale is less accurate where it is below the normal numbers, by a
// factor of four at most; but then scale is above 2^126, and |q| below 4. Where 1 / scale is Infinity, every v is Infinity or
// NaN, which counts as close.

/** Elements that are checked at a time: enough to make the check cheap, few enough to be cheap to do again. */
// @ts-ignore: decorator
@inline export const CHUNK: usize = 64;

// The sum is in fixed point. Adding
//
//     origin = 256 + 1/2 - (qmin - zeroPoint) + 3 * 2^-15
//
// to v puts the codes into [256, 512), where a float32 is a multiple of 2^-15:
//
//     bit 31      23 22          15 14            0
//         | 0 10000111 | code - qmin | fraction, 3 more |        34560 = 10000111 00000000 in binary
//
// Rounding down to the code is dropping the fraction. A fraction of 0 to 6 says that v is within 3.5 * 2^-15 of a tie, which
// covers the error above and the rounding of this sum. Smaller values have smaller bits down to 0, and larger ones larger
// bits up to Infinity's, so that saturating 16-bit arithmetic clamps them; their fraction has another unit, so that some of
// them count as close without need. Bits from 65280 << 15 up mean Infinity, NaN, or a negative sum, which is more than 256 codes
// below the grid: they count as close, too.

/** What fixed-point codes begin from: 34560 above the fraction is qmin. */
// @ts-ignore: decorator
@inline export function fixedOrigin(zeroPoint: i32, qmin: i32): v128 {
  return f32x4.splat(<f32>(zeroPoint - qmin + 256) + <f32>0.500091552734375);
}

/** Four values as fixed-point codes. */
// @ts-ignore: decorator
@inline export function fixedLanes(x: v128, inverse: v128, origin: v128): v128 {
  return f32x4.add(f32x4.mul(x, inverse), origin);
}

/** The smallest fraction of eight lanes and of those before. */
// @ts-ignore: decorator
@inline export function smallerFraction(smallest: v128, a: v128, b: v128, mask: v128): v128 {
  return i32x4.min_u(smallest, i32x4.min_u(v128.and(a, mask), v128.and(b, mask)));
}

/** Eight fixed-point codes without their fraction, u16. */
// @ts-ignore: decorator
@inline export function wholeLanes(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_u(i32x4.shr_u(a, 15), i32x4.shr_u(b, 15));
}

/** Sixteen codes less qmin from wholeLanes, u8; saturated. */
// @ts-ignore: decorator
@inline export function codesFromWhole(lo: v128, hi: v128, zero: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.sub_sat_u(lo, zero), i16x8.sub_sat_u(hi, zero));
}

/** Whether a chunk with this smallest fraction and these largest whole parts came close to a tie. */
// @ts-ignore: decorator
@inline export function closeFixed(smallestFraction: v128, largestWhole: v128): bool {
  const near = i32x4.lt_u(smallestFraction, i32x4.splat(7));
  const far = i16x8.ge_u(largestWhole, i16x8.splat(<i16>65280));
  return v128.any_true(v128.or(near, far));
}
