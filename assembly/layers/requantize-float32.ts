import { magicBits } from "../core/layer-constants";
import { blockChannel, blockCount, qmax, qmin, zeroPoint } from "../core/layer-words";
import { storePair } from "../core/store-pair";

/** Codes minus the zero point, as integers. */
// @ts-ignore: decorator
@inline function scaled(sum: v128, scale: v128, lo: v128, hi: v128, magic: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), hi), lo);
  return i32x4.sub(f32x4.add(v, magic), magic);
}

/**
 * Sums of eight channels to codes in float32, ties to even: the rule of XNNPACK.
 *
 *     code = clamp(zeroPoint + rne(fl(fl(sum) * scale)), qmin, qmax)
 *
 * Clamping comes before rounding, which is the same as both ends are integers, and keeps the sum with the magic number exact.
 */
export function requantizeFloat32(
  layer: usize,
  block: usize,
  y: usize,
  offsets: usize,
  sums: usize,
  pixels: i32,
): void {
  const s0 = v128.load(block, 32);
  const s1 = v128.load(block, 48);
  const zeroPointOut = zeroPoint(layer);
  const lo = f32x4.splat(<f32>(qmin(layer) - zeroPointOut));
  const hi = f32x4.splat(<f32>(qmax(layer) - zeroPointOut));
  const zero = i16x8.splat(<i16>zeroPointOut);
  const magic = magicBits();
  const count = blockCount(block);
  const end = offsets + ((<usize>pixels) << 2);
  y += blockChannel(block);
  do {
    // The pixel behind, or the same again where there is none.
    const next: usize = offsets + 4 < end ? 4 : 0;
    const a = i16x8.narrow_i32x4_s(
      scaled(v128.load(sums), s0, lo, hi, magic),
      scaled(v128.load(sums, 16), s1, lo, hi, magic),
    );
    const b = i16x8.narrow_i32x4_s(
      scaled(v128.load(sums + (next << 3)), s0, lo, hi, magic),
      scaled(v128.load(sums + (next << 3), 16), s1, lo, hi, magic),
    );
    const codes = i8x16.narrow_i16x8_s(i16x8.add(a, zero), i16x8.add(b, zero));
    storePair(y + load<u32>(offsets), y + load<u32>(offsets + next), codes, count);
    sums += 64;
    offsets += 8;
  } while (offsets < end);
}
