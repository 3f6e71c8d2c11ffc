/**
 * Activations of 1 bit as their sign.
 *
 *     out[i] = 1 where x[i] >= 0, else -1
 *
 * Shapes (pointers are byte offsets in linear memory):
 *   x    f32[n]   read
 *   out  f32[n]   written, may be x itself
 *
 * Rounding: none. +-0 gives 1, NaN -1. Errors: none here.
 * Source: Hubara et al. 2016, eq. 1.
 */
export function signActivationsF32(x: usize, out: usize, n: usize): void {
  const one = f32x4.splat(1);
  const minusOne = f32x4.splat(-1);
  const zero = f32x4.splat(0);
  for (let end = x + ((n & ~3) << 2); x < end; x += 16, out += 16) {
    v128.store(out, v128.bitselect(one, minusOne, f32x4.ge(v128.load(x), zero)));
  }
  for (let rest = n & 3; rest > 0; --rest) {
    store<f32>(out, load<f32>(x) >= 0 ? 1 : -1);
    x += 4;
    out += 4;
  }
}
