import { noiseLanes, writeNoiseTable } from "../../assembly/core/noise";

// Loops that do less than the kernels must: the loads and the stores, and of the arithmetic one operation at most. What they
// take is a lower bound for each kernel on the same machine. x is at 0, the output behind all inputs; n is a multiple of 16.

/** quantize to bytes without arithmetic: loads and saturating narrowing. */
export function narrow(x: usize, out: usize, n: usize): void {
  const end = out + n;
  do {
    const lo = i16x8.narrow_i32x4_s(v128.load(x), v128.load(x, 16));
    const hi = i16x8.narrow_i32x4_s(v128.load(x, 32), v128.load(x, 48));
    v128.store(out, i8x16.narrow_i16x8_s(lo, hi));
    x += 64;
    out += 16;
  } while (out < end);
}

/** dequantize from bytes without arithmetic: widening and stores. */
export function widen(q: usize, out: usize, n: usize): void {
  const end = q + n;
  do {
    const codes = v128.load(q);
    const lo = i16x8.extend_low_i8x16_s(codes);
    const hi = i16x8.extend_high_i8x16_s(codes);
    v128.store(out, i32x4.extend_low_i16x8_s(lo));
    v128.store(out, i32x4.extend_high_i16x8_s(lo), 16);
    v128.store(out, i32x4.extend_low_i16x8_s(hi), 32);
    v128.store(out, i32x4.extend_high_i16x8_s(hi), 48);
    q += 16;
    out += 64;
  } while (q < end);
}

/** Only the stores of dequantize. */
export function fill(out: usize, n: usize): void {
  const end = out + 4 * n;
  const values = v128.load(out);
  do {
    v128.store(out, values);
    v128.store(out, values, 16);
    v128.store(out, values, 32);
    v128.store(out, values, 48);
    out += 64;
  } while (out < end);
}

/** fake-quantize without rounding, clamping and product: the division alone. */
export function divide(x: usize, out: usize, n: usize, scale: f32): void {
  const end = x + 4 * n;
  const s = f32x4.splat(scale);
  do {
    v128.store(out, f32x4.div(v128.load(x), s));
    v128.store(out, f32x4.div(v128.load(x, 16), s), 16);
    v128.store(out, f32x4.div(v128.load(x, 32), s), 32);
    v128.store(out, f32x4.div(v128.load(x, 48), s), 48);
    x += 64;
    out += 64;
  } while (x < end);
}

/** The straight-through gradient without comparisons: two loads, one operation, one store. */
export function combine(dy: usize, x: usize, out: usize, n: usize): void {
  const end = x + 4 * n;
  do {
    v128.store(out, v128.and(v128.load(dy), v128.load(x)));
    v128.store(out, v128.and(v128.load(dy, 16), v128.load(x, 16)), 16);
    v128.store(out, v128.and(v128.load(dy, 32), v128.load(x, 32)), 32);
    v128.store(out, v128.and(v128.load(dy, 48), v128.load(x, 48)), 48);
    dy += 64;
    x += 64;
    out += 64;
  } while (x < end);
}

/** min/max without comparisons: loads, and one operation each. */
export function read(x: usize, out: usize, n: usize): void {
  const end = x + 4 * n;
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  do {
    a = v128.or(a, v128.load(x));
    b = v128.or(b, v128.load(x, 16));
    c = v128.or(c, v128.load(x, 32));
    d = v128.or(d, v128.load(x, 48));
    x += 64;
  } while (x < end);
  v128.store(out, v128.or(v128.or(a, b), v128.or(c, d)));
}

/** The noise of DoReFa's gradients as the kernel draws it, and nothing else; the table is 16 bytes behind out. */
export function noise(out: usize, n: usize, key: i32): void {
  const end = out + 4 * n;
  writeNoiseTable(end);
  const factor = v128.load32_splat(end);
  const second = v128.load32_splat(end, 4);
  const middle = v128.load32_splat(end, 8);
  const keys = i32x4.splat(key);
  const four = i32x4.splat(4);
  let index = i32x4(0, 1, 2, 3);
  do {
    v128.store(out, noiseLanes(keys, index, factor, second, middle));
    index = i32x4.add(index, four);
    out += 16;
  } while (out < end);
}
