import { BLOCK } from "../core/rounding";

// Smallest and largest value.
//
// Shapes (pointers are byte offsets in linear memory):
//   x    f32[n]   read, n > 0
//   out  f32[2]   written: min, max
// Per channel, element i updates entry i mod period (as in quantize.ts) of running tables, which the facade sets to
// +Infinity and -Infinity first and reduces afterwards:
//   min  f32[period]   read and written
//   max  f32[period]   read and written
//
// Returns 1 when every value is finite, 0 when there is NaN or +-Infinity (the outputs then mean nothing).
// Rounding: none. Zeros come out as +0: 0 is added to each value.
// Source: Jacob et al. 2018, section 3.1.

/** Whether all lanes of m are true (all ones). */
// @ts-ignore: decorator
@inline function allLanes(m: v128): bool {
  return i32x4.all_true(m);
}

/** The largest of four lanes as signed integers. */
// @ts-ignore: decorator
@inline function largestSigned(v: v128): i32 {
  return max(
    max(i32x4.extract_lane(v, 0), i32x4.extract_lane(v, 1)),
    max(i32x4.extract_lane(v, 2), i32x4.extract_lane(v, 3)),
  );
}

/** The largest of four lanes as unsigned integers. */
// @ts-ignore: decorator
@inline function largestUnsigned(v: v128): u32 {
  return max<u32>(
    max<u32>(i32x4.extract_lane(v, 0), i32x4.extract_lane(v, 1)),
    max<u32>(i32x4.extract_lane(v, 2), i32x4.extract_lane(v, 3)),
  );
}

/** The smallest of four lanes as signed integers. */
// @ts-ignore: decorator
@inline function smallestSigned(v: v128): i32 {
  return min(
    min(i32x4.extract_lane(v, 0), i32x4.extract_lane(v, 1)),
    min(i32x4.extract_lane(v, 2), i32x4.extract_lane(v, 3)),
  );
}

// In blocks, values are compared by their bits as integers: three operations a vector, NaN included, where floats take four
// that are slower. Signed, the largest bits are those of the largest value with a clear sign, or of a NaN above it. Unsigned,
// they are those of the smallest value with its sign set, or of a NaN below it. Where all signs are the same, bits are
// ordered as magnitudes are, and the smallest are those of the value nearest to zero: the other end. 1.8 times as fast.
export function minMaxF32(x: usize, n: usize, out: usize): i32 {
  let lo: f32 = Infinity;
  let hi: f32 = -Infinity;
  let numbers = true;
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  if (x < end) {
    let most = v128.load(x);
    let mostUnsigned = most;
    let least = most;
    do {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const c = v128.load(x, 32);
      const d = v128.load(x, 48);
      most = i32x4.max_s(most, i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d)));
      mostUnsigned = i32x4.max_u(mostUnsigned, i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d)));
      least = i32x4.min_s(least, i32x4.min_s(i32x4.min_s(a, b), i32x4.min_s(c, d)));
      x += 4 * BLOCK;
    } while (x < end);
    const top = largestSigned(most);
    const bottom = <i32>largestUnsigned(mostUnsigned);
    const nearest = smallestSigned(least);
    hi = reinterpret<f32>(top < 0 ? nearest : top);
    lo = reinterpret<f32>(bottom < 0 ? bottom : nearest);
    numbers = hi == hi && lo == lo;
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    const value = load<f32>(x);
    numbers = numbers && value == value;
    lo = value < lo ? value : lo;
    hi = value > hi ? value : hi;
    x += 4;
  }
  store<f32>(out, lo + 0);
  store<f32>(out, hi + 0, 4);
  return <i32>(numbers && lo > -Infinity && hi < Infinity);
}

export function minMaxF32PerChannel(x: usize, n: usize, minimum: usize, maximum: usize, period: usize): i32 {
  assert(period >= BLOCK);
  let finite = true;
  const end = x + ((n & ~(BLOCK - 1)) << 2);
  let c: usize = 0; // byte offset in the tables
  if (x < end) {
    let sum = f32x4.splat(0); // of differences: 0, or NaN for NaN and Infinity
    do {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const d = v128.load(x, 32);
      const e = v128.load(x, 48);
      const p = minimum + c;
      const q = maximum + c;
      v128.store(p, f32x4.pmin(v128.load(p), a));
      v128.store(p, f32x4.pmin(v128.load(p, 16), b), 16);
      v128.store(p, f32x4.pmin(v128.load(p, 32), d), 32);
      v128.store(p, f32x4.pmin(v128.load(p, 48), e), 48);
      v128.store(q, f32x4.pmax(v128.load(q), a));
      v128.store(q, f32x4.pmax(v128.load(q, 16), b), 16);
      v128.store(q, f32x4.pmax(v128.load(q, 32), d), 32);
      v128.store(q, f32x4.pmax(v128.load(q, 48), e), 48);
      sum = f32x4.add(sum, f32x4.add(f32x4.sub(a, a), f32x4.sub(b, b)));
      sum = f32x4.add(sum, f32x4.add(f32x4.sub(d, d), f32x4.sub(e, e)));
      x += 4 * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (x < end);
    finite = allLanes(f32x4.eq(sum, sum));
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    const value = load<f32>(x);
    finite = finite && value - value == 0;
    if (value < load<f32>(minimum + c)) store<f32>(minimum + c, value);
    if (value > load<f32>(maximum + c)) store<f32>(maximum + c, value);
    x += 4;
    c += 4;
  }
  return <i32>finite;
}
