import { blockChannel, blockCount, blockShift, qmax, qmin, zeroPoint } from "../core/layer-words";
import { storePair } from "../core/store-pair";

/** The upper halves of v * m + half, shifted on. */
// @ts-ignore: decorator
@inline function scaled(sum: v128, multiplier: v128, factor: v128, half: v128, shift: i32): v128 {
  const v = i32x4.mul(sum, factor);
  const low = i64x2.add(i64x2.extmul_low_i32x4_s(v, multiplier), half);
  const high = i64x2.add(i64x2.extmul_high_i32x4_s(v, multiplier), half);
  return i32x4.shr_s(v128.shuffle<i32>(low, high, 1, 3, 5, 7), shift);
}

/**
 * Sums of eight channels to codes, rounded once, ties toward +infinity.
 *
 *     code = clamp(zeroPoint + ((sum * multiplier + 2^(30 + s)) >> (31 + s)), qmin, qmax)   in 64 bits
 *
 * SIMD has no shift by lane. So sums are first brought to one shift: with T = 32 + shift, the largest 31 + s of the block,
 *
 *     (sum * m + 2^(30 + s)) >> (31 + s)  =  (sum * 2^k * m + 2^(T - 1)) >> T,   k = T - 31 - s, factor = 2^k
 *
 * and a shift by T >= 32 is the upper half of the product, shifted by the rest.
 *
 * Overflow: none. The plan proves |sum * 2^k| < 2^31 (else the block is requantizeExact's), so |product + half| < 2^63; codes
 * saturate at 16 bits before the zero point is added, which the clamp to 8 bits cannot see.
 */
export function requantizeInteger(
  layer: usize,
  block: usize,
  y: usize,
  offsets: usize,
  sums: usize,
  pixels: i32,
): void {
  const m0 = v128.load(block, 32);
  const m1 = v128.load(block, 48);
  const f0 = v128.load(block, 64);
  const f1 = v128.load(block, 80);
  const shift = blockShift(block);
  const half = i64x2.splat((<i64>1) << (shift + 31));
  const zero = i16x8.splat(<i16>zeroPoint(layer));
  const lo = i8x16.splat(<i8>qmin(layer));
  const hi = i8x16.splat(<i8>qmax(layer));
  const count = blockCount(block);
  const end = offsets + ((<usize>pixels) << 2);
  y += blockChannel(block);
  do {
    // The pixel behind, or the same again where there is none.
    const next: usize = offsets + 4 < end ? 4 : 0;
    const a = i16x8.narrow_i32x4_s(
      scaled(v128.load(sums), m0, f0, half, shift),
      scaled(v128.load(sums, 16), m1, f1, half, shift),
    );
    const b = i16x8.narrow_i32x4_s(
      scaled(v128.load(sums + (next << 3)), m0, f0, half, shift),
      scaled(v128.load(sums + (next << 3), 16), m1, f1, half, shift),
    );
    const codes = i8x16.narrow_i16x8_s(i16x8.add_sat_s(a, zero), i16x8.add_sat_s(b, zero));
    storePair(y + load<u32>(offsets), y + load<u32>(offsets + next), i8x16.max_s(i8x16.min_s(codes, hi), lo), count);
    sums += 64;
    offsets += 8;
  } while (offsets < end);
}
