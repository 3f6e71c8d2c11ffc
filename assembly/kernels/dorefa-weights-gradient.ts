import { largestMagnitude, NOT_FINITE } from "../core/largest-magnitude";
import { putTail, takeTail } from "../core/tail";
import { tanhLanes, tanhOf, writeTanhTable } from "../core/tanh";

// Scratch, 128 bytes:
//
//   | last w | last dy | sums of dy t | counts of maxima | table of tanh: 64 bytes |
//        0       16          32               48              64

/**
 * Gradient of dorefaWeights for 2 bits and more: straight through the rounding, through tanh and the maximum as they are.
 *
 *     T = tanh(max |w|),  t = tanh(w),  d = fl(fl(1 - t) * fl(1 + t)),  S = sum(fl(dy t))
 *     out = fl(fl(dy d) / T)
 *     where |w| is the maximum:  out = fl(out - sign(w) fl(fl(fl(fl(S / T) / T) d) / count))
 *
 * count is the number of elements where |w| is the maximum: they share what flows through it, as PyTorch's max does.
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   dy       f32[n]    read
 *   w        f32[n]    read, finite
 *   out      f32[n]    written, may be dy, not w
 *   scratch  u8[128]   written, 16-byte aligned
 *
 * Returns 1, or 0 when w has NaN or +-Infinity (out then means nothing). Only zeros in w: zeros.
 * Rounding: as written. The sum is four partial sums by i mod 4, combined (0+1)+(2+3).
 * Source: Zhou et al. 2016, eq. 5.
 */
export function dorefaWeightsGradientF32(dy: usize, w: usize, out: usize, n: usize, scratch: usize): i32 {
  const largest = largestMagnitude(w, n);
  if (largest >= NOT_FINITE) return 0;
  if (largest == 0) {
    memory.fill(out, 0, n << 2);
    return 1;
  }
  const table = scratch + 64;
  writeTanhTable(table);
  const limit = tanhOf(reinterpret<f32>(largest), table);
  v128.store(scratch, f32x4.splat(0), 32);
  v128.store(scratch, i32x4.splat(0), 48);
  const whole = n & ~3;
  const rest = n - whole;
  if (whole > 0) throughTanh(dy, w, out, whole, largest, limit, scratch);
  if (rest > 0) {
    takeTail(scratch, w + (whole << 2), rest);
    takeTail(scratch + 16, dy + (whole << 2), rest);
    throughTanh(scratch + 16, scratch, scratch + 16, 4, largest, limit, scratch);
    putTail(out + (whole << 2), scratch + 16, rest);
  }
  const low = load<f32>(scratch, 32) + load<f32>(scratch, 36);
  const high = load<f32>(scratch, 40) + load<f32>(scratch, 44);
  const count = load<i32>(scratch, 48) + load<i32>(scratch, 52) + load<i32>(scratch, 56) + load<i32>(scratch, 60);
  const d = (<f32>1 - limit) * (<f32>1 + limit);
  throughMaximum(w, out, n, largest, (((low + high) / limit / limit) * d) / <f32>count);
  return 1;
}

/** What flows through tanh, for count > 0 elements, a multiple of 4; adds to the sums and counts of the scratch. */
function throughTanh(dy: usize, w: usize, out: usize, count: usize, largest: i32, limit: f32, scratch: usize): void {
  const limits = f32x4.splat(limit);
  const maximum = i32x4.splat(largest);
  const table = scratch + 64;
  const magnitude = i32x4.splat(0x7fffffff);
  const one = f32x4.splat(1);
  let sum = v128.load(scratch, 32);
  let maxima = v128.load(scratch, 48);
  const end = w + (count << 2);
  do {
    const x = v128.load(w);
    const g = v128.load(dy);
    const t = tanhLanes(x, table);
    const d = f32x4.mul(f32x4.sub(one, t), f32x4.add(one, t));
    sum = f32x4.add(sum, f32x4.mul(g, t));
    maxima = i32x4.sub(maxima, i32x4.eq(v128.and(x, magnitude), maximum));
    v128.store(out, f32x4.div(f32x4.mul(g, d), limits));
    w += 16;
    dy += 16;
    out += 16;
  } while (w < end);
  v128.store(scratch, sum, 32);
  v128.store(scratch, maxima, 48);
}

/** Takes the share, with the sign of w, from each element where |w| is the maximum. */
function throughMaximum(w: usize, out: usize, n: usize, largest: i32, share: f32): void {
  const magnitude = i32x4.splat(0x7fffffff);
  const maximum = i32x4.splat(largest);
  const end = w + (n << 2);
  while (w < end) {
    // Four at a time past what is no maximum.
    if (w + 16 <= end && !v128.any_true(i32x4.eq(v128.and(v128.load(w), magnitude), maximum))) {
      w += 16;
      out += 16;
      continue;
    }
    const bits = load<i32>(w);
    if ((bits & 0x7fffffff) == largest) store<f32>(out, load<f32>(out) - (bits < 0 ? -share : share));
    w += 4;
    out += 4;
  }
}
