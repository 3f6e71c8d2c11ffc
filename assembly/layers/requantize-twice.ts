import { blockChannel, blockCount, qmax, qmin, zeroPoint } from "../core/layer-words";

/**
 * Sums of eight channels to codes with two roundings: TensorFlow Lite's depthwise convolutions.
 *
 *     high = ((sum << max(-s, 0)) * multiplier + 2^30) >> 31               in 64 bits, ties toward +infinity
 *     code = clamp(zeroPoint + high / 2^max(s, 0), qmin, qmax)             ties away from zero
 *
 * Overflow: the left shift wraps, as it does there; nothing else can overflow. One by one: no rule that is fast uses it.
 * Source: gemmlowp, fixedpoint.h.
 */
export function requantizeTwice(layer: usize, block: usize, y: usize, offsets: usize, sums: usize, pixels: i32): void {
  const zero = zeroPoint(layer);
  const lo = qmin(layer);
  const hi = qmax(layer);
  const lanes = blockCount(block) << 2;
  y += blockChannel(block);
  do {
    let at = y + load<u32>(offsets);
    for (let lane = 0; lane < lanes; lane += 4) {
      const shift = load<i32>(block + lane, 64);
      const sum = load<i32>(sums + lane) << max(-shift, 0);
      const high = <i32>((<i64>sum * load<i32>(block + lane, 32) + (1 << 30)) >> 31);
      const right = max(shift, 0);
      // Half of the divisor, less one below zero: ties away from zero. |high| <= 2^31, hence 64 bits.
      const half = <i64>((1 << right) >> 1) - (high < 0 ? <i64>min(right, 1) : 0);
      const rounded = <i32>((<i64>high + half) >> right);
      store<i8>(at++, <i8>max(lo, min(hi, zero + rounded)));
    }
    sums += 32;
    offsets += 4;
  } while (--pixels > 0);
}
