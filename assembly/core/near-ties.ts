// Rounding to a grid of at most 256 codes without a division, and how to notice where that is not good enough.
//
// The definition divides: q = fl(x / scale), then rounds q to an integer. Dividing four lanes takes the divider as long as
// ten other operations take. The product v = fl(x * fl(1 / scale)) is nearly q: for |x / scale| < 256, which holds all codes
// less their zero point and their ties, rounding 1 / scale moves the product by less than 256 * 2^-24 = 2^-16, and v and q
// are rounded by 2^-17 at most. So |v - q| < 2^-15; and as both are multiples of 2^-16 (where they are below 128, all of
// this is twice as fine),
//
//     |v - q| <= 2^-16
//
// Both round to the same integer unless v is that close to a tie. quantize rounds v, and watches whether it comes so close;
// a chunk with such a value, or with NaN, is done again with the division. In random data that is one chunk in 256; where
// every chunk has a tie, it all takes 1.9 times the division.
//
// Beyond the grid v and q are both clamped to its end. 1 / scale is less accurate where it is below the normal numbers, by a
// factor of four at most; but then scale is above 2^126, and |q| below 4. Where 1 / scale is Infinity, every v is Infinity or
// NaN, which counts as close.

/** Elements that are checked at a time: enough to make the check cheap, few enough to be cheap to do again. */
// @ts-ignore: decorator
@inline export const CHUNK: usize = 128;

// The sum is in fixed point. Adding
//
//     origin = 256 + 1/2 - (qmin - zeroPoint)
//
// to v puts the codes into [256, 512), where a float32 is a multiple of 2^-15:
//
//     bit 31      23 22          15 14            0
//         | 0 10000111 | code - qmin |    fraction    |        34560 = 10000111 00000000 in binary
//
// Rounding down to the code is dropping the fraction. A tie has a fraction of 0; what is no more than 2^-16 from it, half a
// unit, is rounded to it by this sum (to even where it is half a unit). So every other fraction says that v is far enough from
// all ties. Smaller values have smaller bits down to 0, and larger ones larger bits up to Infinity's, so that saturating
// 16-bit arithmetic clamps them; some of them count as close without need. Bits from 65280 << 15 up mean Infinity, NaN, or a
// negative sum, which is more than 256 codes below the grid: they count as close, too.

/** What fixed-point codes begin from: 34560 above the fraction is qmin. */
// @ts-ignore: decorator
@inline export function fixedOrigin(zeroPoint: i32, qmin: i32): v128 {
  return f32x4.splat(<f32>(zeroPoint - qmin + 256) + <f32>0.5);
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
  return !i32x4.all_true(smallestFraction) || v128.any_true(i16x8.ge_u(largestWhole, i16x8.splat(<i16>65280)));
}
