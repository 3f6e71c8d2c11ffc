// tanh of four floats: at most 3 ulp off over all floats, odd, and monotone.
//
//     z = min(|x|, 9.01...)            beyond it tanh rounds to 1
//     2z = n ln 2 + t                  n integer, 0 <= t <= ln 2
//     f = expm1(t)                     t + t^2 q(t), all coefficients of q positive; at most 1
//     m = expm1(2z) = 2^n f + (2^n - 1)
//     tanh z = 1 / (1 + 2/m)
//
// Monotone because every step is: a rounded sum, product or quotient of terms that never decrease (2/m never increases) never
// decreases itself, n never decreases, and where n goes up by one, t and f are held to the ends that both sides share. That is
// why the usual m / (m + 2), which rounds its two parts in unison, does not serve. The last line is scaled by C = sqrt(2) 2^-24:
// 2^-24 keeps 2/m finite for subnormal z, and sqrt(2) keeps its rounding and that of the sum away from where they cost most
// (2.5 ulp instead of 3.1).
//
// q is the minimax polynomial of degree 4 on [0, ln 2], relative error of f 1.4e-8. The definition is src/reference/tanh.ts.

/**
 * Fills the table of constants, 64 bytes at ptr.
 *
 * Loops load their constants from it: literals would be rebuilt at every use (core/constants.ts), and there are too many to
 * be kept in registers.
 */
export function writeTanhTable(ptr: usize): void {
  store<f32>(ptr, 9.010913848876953);
  store<f32>(ptr, 1.4426950216293335, 4); // 1 / ln 2
  store<f32>(ptr, 0.5, 8);
  store<f32>(ptr, 1, 12);
  store<f32>(ptr, 0.693145751953125, 16); // ln 2 in 16 bits: n times it is exact
  store<f32>(ptr, 1.428606765330187e-6, 20); // the rest of ln 2
  store<f32>(ptr, 0.0018613777356222272, 24);
  store<f32>(ptr, 0.007960804738104343, 28);
  store<f32>(ptr, 0.041795987635850906, 32);
  store<f32>(ptr, 0.16664738953113556, 36);
  store<f32>(ptr, 0.5000008940696716, 40);
  store<f32>(ptr, 1.6858739115832577e-7, 44); // 2 C
  store<f32>(ptr, 8.429369557916289e-8, 48); // C
  store<i32>(ptr, 0x80000000, 52);
  store<f32>(ptr, 12582912, 56); // 1.5 * 2^23: adding it rounds to an integer
}

/** tanh of four floats with the table at `table`. NaN gives +-1. */
// @ts-ignore: decorator
@inline export function tanhLanes(x: v128, table: usize): v128 {
  const sign = v128.load32_splat(table, 52);
  const one = v128.load32_splat(table, 12);
  const magic = v128.load32_splat(table, 56);
  const z = f32x4.pmin(v128.load32_splat(table), v128.andnot(x, sign));
  const a = f32x4.add(z, z);
  const shifted = f32x4.sub(f32x4.mul(a, v128.load32_splat(table, 4)), v128.load32_splat(table, 8));
  const rounded = f32x4.add(shifted, magic);
  const n = f32x4.sub(rounded, magic);
  const power = i32x4.add(i32x4.shl(rounded, 23), one); // the bits of 2^n
  const high = f32x4.sub(a, f32x4.mul(n, v128.load32_splat(table, 16)));
  const low = f32x4.sub(high, f32x4.mul(n, v128.load32_splat(table, 20)));
  const t = f32x4.pmax(f32x4.splat(0), low);
  let q = f32x4.add(f32x4.mul(v128.load32_splat(table, 24), t), v128.load32_splat(table, 28));
  q = f32x4.add(f32x4.mul(q, t), v128.load32_splat(table, 32));
  q = f32x4.add(f32x4.mul(q, t), v128.load32_splat(table, 36));
  q = f32x4.add(f32x4.mul(q, t), v128.load32_splat(table, 40));
  const f = f32x4.pmin(one, f32x4.add(t, f32x4.mul(f32x4.mul(t, t), q)));
  const m = f32x4.add(f32x4.mul(power, f), f32x4.sub(power, one));
  const c = v128.load32_splat(table, 48);
  const y = f32x4.div(c, f32x4.add(c, f32x4.div(v128.load32_splat(table, 44), m)));
  return v128.bitselect(x, y, sign);
}

/** tanh of one float, the same bits. */
export function tanhOf(x: f32, table: usize): f32 {
  return f32x4.extract_lane(tanhLanes(f32x4.splat(x), table), 0);
}
