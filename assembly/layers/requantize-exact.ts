import { blockChannel, blockCount, qmax, qmin, zeroPoint } from "../core/layer-words";

/**
 * requantizeInteger for blocks whose channels fit no common shift, one by one; the same codes.
 *
 *     code = clamp(zeroPoint + ((sum * multiplier + 2^(30 + s)) >> (31 + s)), qmin, qmax)   in 64 bits
 *
 * Overflow: none: |sum * multiplier| < 2^62, and the clamp comes before the code is narrowed.
 */
export function requantizeExact(layer: usize, block: usize, y: usize, offsets: usize, sums: usize, pixels: i32): void {
  const zero = <i64>zeroPoint(layer);
  const lo = <i64>qmin(layer);
  const hi = <i64>qmax(layer);
  const lanes = blockCount(block) << 2;
  y += blockChannel(block);
  do {
    let at = y + load<u32>(offsets);
    for (let lane = 0; lane < lanes; lane += 4) {
      const shift = <i64>(31 + load<i32>(block + lane, 64));
      const product = <i64>load<i32>(sums + lane) * load<i32>(block + lane, 32);
      const rounded = (product + ((<i64>1) << (shift - 1))) >> shift;
      store<i8>(at++, <i8>max(lo, min(hi, zero + rounded)));
    }
    sums += 32;
    offsets += 4;
  } while (--pixels > 0);
}
