/** 2^n of the exponents that tanh needs; Math.pow would cost more than all the rest. */
const POWERS = Float32Array.from({ length: 32 }, (_, n) => 2 ** n);

/**
 * The library's tanh, to the bit, as fast JavaScript: src/reference/tanh.ts with its polynomial written out and powers of two
 * from a table. Rounding an operation on float32 from float64 to float32 is as good as rounding once, so each needs fround.
 */
export function exactTanh(x: number): number {
  const fl = Math.fround;
  const z = Math.min(Math.abs(x), 9.010913848876953);
  const a = z + z;
  const n = fl(fl(fl(a * 1.4426950216293335) - 0.5) + 12582912) - 12582912;
  const power = POWERS[n & 31];
  const t = Math.max(0, fl(fl(a - fl(n * 0.693145751953125)) - fl(n * 1.428606765330187e-6)));
  let q = fl(fl(0.0018613777356222272 * t) + 0.007960804738104343);
  q = fl(fl(q * t) + 0.041795987635850906);
  q = fl(fl(q * t) + 0.16664738953113556);
  q = fl(fl(q * t) + 0.5000008940696716);
  const f = Math.min(1, fl(t + fl(fl(t * t) * q)));
  const m = fl(fl(power * f) + (power - 1));
  const y = fl(8.429369557916289e-8 / fl(8.429369557916289e-8 + fl(1.6858739115832577e-7 / m)));
  return x < 0 ? -y : y;
}
