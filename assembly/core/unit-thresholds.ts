import { magicF32 } from "./constants";
import { unitCodes } from "./unit-codes";

// The codes of DoReFa's weights by comparison: the code of w is the number of thresholds that are <= w. Threshold j is the
// smallest float whose code is j or more. It is found by bisection on that very function, so both ways agree bit for bit.

/** A float by its place in the order of floats: 0 is 0, -1 the float below it. */
// @ts-ignore: decorator
@inline function floatAt(ordinal: v128): v128 {
  const sign = i32x4.splat(0x80000000);
  return v128.bitselect(v128.or(i32x4.neg(ordinal), sign), ordinal, i32x4.lt_s(ordinal, i32x4.splat(0)));
}

/**
 * Writes thresholds 1...n to ptr, four at a time, n = 2^bits - 1; those beyond n are the largest weight.
 *
 * largest is the bits of the largest |w|, not 0, and limit its tanh; the table is tanh's.
 */
export function writeUnitThresholds(ptr: usize, bits: i32, largest: i32, limit: f32, table: usize): void {
  const levels = (1 << bits) - 1;
  const limits = f32x4.splat(limit);
  const half = f32x4.splat(<f32>levels / 2);
  const magic = magicF32();
  let wanted = f32x4(1, 2, 3, 4);
  for (let j = 0; j < levels; j += 4) {
    // The code is below `wanted` at low (0 at the lowest weight), and not at high.
    let low = i32x4.splat(-largest);
    let high = i32x4.splat(largest);
    for (let step = 0; step < 32; ++step) {
      const middle = i32x4.add(low, i32x4.shr_u(i32x4.sub(high, low), 1));
      const reached = f32x4.ge(unitCodes(floatAt(middle), limits, half, magic, table), wanted);
      high = v128.bitselect(middle, high, reached);
      low = v128.bitselect(low, middle, reached);
    }
    v128.store(ptr, floatAt(high));
    ptr += 16;
    wanted = f32x4.add(wanted, f32x4.splat(4));
  }
}
