import { magicF32 } from "../core/constants";
import { largestMagnitude, NOT_FINITE } from "../core/largest-magnitude";
import { putTail, takeTail } from "../core/tail";
import { tanhOf, writeTanhTable } from "../core/tanh";
import { unitCodes } from "../core/unit-codes";
import { writeUnitThresholds } from "../core/unit-thresholds";

/**
 * Rounds weights to k bits.
 *
 *     1 bit:   out = w >= 0 ? E : -E,  E = fl(sum |w| / n)
 *     k bits:  code = rne(fl(fl(fl(tanh(w) / tanh(max |w|)) * n/2) + n/2)),  out = fl((2 code - n) * fl(1/n)),  n = 2^k - 1
 *
 * What is written as half the first factor and twice the second below has the same bits.
 * Up to 3 bits by comparison with thresholds (core/unit-thresholds), the same bits. Only zeros: E is 0, and the quotient is 0.
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   w        f32[n]    read, finite
 *   out      f32[n]    written, may be w
 *   scratch  u8[112]   written, 16-byte aligned: a slot for the last elements, thresholds or partial sums, the table of tanh
 *
 * Returns 1, or 0 when there is NaN or +-Infinity (out then means nothing).
 * Rounding: as written; ties to even. The sum is four partial sums of |w[i]| by i mod 4, combined (0+1)+(2+3).
 * Errors: none here; the debug build asserts.
 * Source: Zhou et al. 2016, eq. 4 and 5.
 */
export function dorefaWeightsF32(w: usize, out: usize, n: usize, bits: i32, scratch: usize): i32 {
  assert(bits >= 1 && bits <= 16);
  const largest = largestMagnitude(w, n);
  if (largest >= NOT_FINITE) return 0;
  const slot = scratch;
  const values = scratch + 16; // thresholds or partial sums
  const table = scratch + 48;
  const whole = n & ~3;
  const rest = n - whole;
  // Zeros alone have no thresholds: all of them have the same code.
  const byThresholds = bits > 1 && bits <= 3 && largest > 0;
  let parameter: f32; // E, or tanh of the largest
  if (bits == 1) {
    v128.store(values, f32x4.splat(0));
    if (whole > 0) addMagnitudes(w, whole, values);
    if (rest > 0) {
      takeTail(slot, w + (whole << 2), rest);
      addMagnitudes(slot, 4, values);
    }
    const low = load<f32>(values) + load<f32>(values, 4);
    const high = load<f32>(values, 8) + load<f32>(values, 12);
    parameter = (low + high) / <f32>n;
  } else {
    writeTanhTable(table);
    parameter = largest == 0 ? 1 : tanhOf(reinterpret<f32>(largest), table);
    if (byThresholds) writeUnitThresholds(values, bits, largest, parameter, table);
  }
  if (whole > 0) roundVectors(w, out, whole, bits, parameter, byThresholds, values, table);
  if (rest > 0) {
    takeTail(slot, w + (whole << 2), rest);
    roundVectors(slot, slot, 4, bits, parameter, byThresholds, values, table);
    putTail(out + (whole << 2), slot, rest);
  }
  return 1;
}

/** sums[i mod 4] += |w[i]| for count > 0 elements, a multiple of 4. */
function addMagnitudes(w: usize, count: usize, sums: usize): void {
  let sum = v128.load(sums);
  const end = w + (count << 2);
  do {
    sum = f32x4.add(sum, f32x4.abs(v128.load(w)));
    w += 16;
  } while (w < end);
  v128.store(sums, sum);
}

/** Rounds count > 0 elements, a multiple of 4. */
function roundVectors(
  w: usize,
  out: usize,
  count: usize,
  bits: i32,
  parameter: f32,
  byThresholds: bool,
  thresholds: usize,
  table: usize,
): void {
  const end = w + (count << 2);
  if (bits == 1) roundToSign(w, out, end, parameter);
  else if (!byThresholds) roundByTanh(w, out, end, bits, parameter, table);
  else if (bits == 2) roundTo2(w, out, end, thresholds);
  else roundTo3(w, out, end, thresholds);
}

function roundToSign(w: usize, out: usize, end: usize, mean: f32): void {
  const positive = f32x4.splat(mean);
  const negative = f32x4.neg(positive);
  do {
    v128.store(out, v128.bitselect(positive, negative, f32x4.ge(v128.load(w), f32x4.splat(0))));
    w += 16;
    out += 16;
  } while (w < end);
}

function roundByTanh(w: usize, out: usize, end: usize, bits: i32, limit: f32, table: usize): void {
  const levels = <f32>((1 << bits) - 1);
  const limits = f32x4.splat(limit);
  const half = f32x4.splat(levels / 2);
  const step = f32x4.splat(<f32>2 / levels);
  const magic = magicF32();
  do {
    const code = unitCodes(v128.load(w), limits, half, magic, table);
    v128.store(out, f32x4.mul(f32x4.sub(code, half), step));
    w += 16;
    out += 16;
  } while (w < end);
}

/** The value of a code that is the negated sum of masks: fl((n/2 - code) * step), step = -2 fl(1/n). */
// @ts-ignore: decorator
@inline function valueOf(masks: v128, half: v128, step: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(masks), half), step);
}

function roundTo2(w: usize, out: usize, end: usize, thresholds: usize): void {
  const a = v128.load32_splat(thresholds);
  const b = v128.load32_splat(thresholds, 4);
  const c = v128.load32_splat(thresholds, 8);
  const half = f32x4.splat(1.5);
  const step = f32x4.splat(<f32>-2 / 3);
  do {
    const x = v128.load(w);
    const masks = i32x4.add(i32x4.add(f32x4.ge(x, a), f32x4.ge(x, b)), f32x4.ge(x, c));
    v128.store(out, valueOf(masks, half, step));
    w += 16;
    out += 16;
  } while (w < end);
}

function roundTo3(w: usize, out: usize, end: usize, thresholds: usize): void {
  const a = v128.load32_splat(thresholds);
  const b = v128.load32_splat(thresholds, 4);
  const c = v128.load32_splat(thresholds, 8);
  const d = v128.load32_splat(thresholds, 12);
  const e = v128.load32_splat(thresholds, 16);
  const f = v128.load32_splat(thresholds, 20);
  const g = v128.load32_splat(thresholds, 24);
  const half = f32x4.splat(3.5);
  const step = f32x4.splat(<f32>-2 / 7);
  do {
    const x = v128.load(w);
    const lower = i32x4.add(i32x4.add(f32x4.ge(x, a), f32x4.ge(x, b)), f32x4.ge(x, c));
    const upper = i32x4.add(i32x4.add(f32x4.ge(x, d), f32x4.ge(x, e)), i32x4.add(f32x4.ge(x, f), f32x4.ge(x, g)));
    v128.store(out, valueOf(i32x4.add(lower, upper), half, step));
    w += 16;
    out += 16;
  } while (w < end);
}
