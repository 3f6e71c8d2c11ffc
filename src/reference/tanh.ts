import { fl } from "./rounding.js";

const LARGEST = 9.010913848876953; // beyond it tanh rounds to 1
const INVERSE_LN2 = 1.4426950216293335;
const LN2_HIGH = 0.693145751953125; // in 16 bits: n times it is exact
const LN2_LOW = fl(1.428606765330187e-6);
const ROUNDER = 12582912; // 1.5 · 2^23: adding it rounds to an integer, ties to even
/** q of expm1(t) = t + t²·q(t) on [0, ln 2], highest power first: minimax, relative error 1.4e-8. */
const Q = [0.0018613777356222272, 0.007960804738104343, 0.041795987635850906, 0.16664738953113556, 0.5000008940696716];
const C = 8.429369557916289e-8; // √2 · 2^−24

/**
 * tanh in float32: at most 3 ulp off over all floats, odd, and monotone. This function *is* the tanh of DoReFa.
 *
 *     z = min(|x|, 9.01…),  2z = n·ln 2 + t,  f = min(1, t + t²·q(t)),  m = 2^n·f + (2^n − 1),  tanh z = C/(C + 2C/m)
 *
 * Rounding: to float32 after each operation. Every step is a monotone function of the one before, and where n goes up by
 * one, t and f are held to the ends that both sides share; so the whole is monotone. The factor C keeps 2C/m finite for
 * subnormal z. NaN gives ±1; callers exclude it.
 */
export function tanh(x: number): number {
  const magnitude = Math.abs(x);
  const z = magnitude < LARGEST ? magnitude : LARGEST;
  const a = fl(z + z);
  const n = fl(fl(fl(fl(a * INVERSE_LN2) - 0.5) + ROUNDER) - ROUNDER);
  const power = 2 ** n;
  const low = fl(fl(a - fl(n * LN2_HIGH)) - fl(n * LN2_LOW));
  const t = low > 0 ? low : 0;
  let q = Q[0];
  for (let i = 1; i < Q.length; i++) q = fl(fl(q * t) + Q[i]);
  const sum = fl(t + fl(fl(t * t) * q));
  const f = sum < 1 ? sum : 1;
  const m = fl(fl(power * f) + fl(power - 1));
  const y = fl(C / fl(C + fl((2 * C) / m)));
  return x < 0 || Object.is(x, -0) ? -y : y;
}
