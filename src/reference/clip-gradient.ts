/**
 * Gradient of ReLU (lo = 0, hi = Infinity), ReLU6 (0, 6) and their like.
 *
 *     dx = dy where lo < x ≤ hi, else 0
 *
 * The rule of tfjs (Relu, Relu6, and its ReLU layer with a maximum): no gradient at the lower end, all of it at the upper
 * one. x is the input of the activation: its output cannot tell hi from what was cut down to it. NaN in x gives 0.
 * `out` may be dy or x.
 */
export function clipGradient(dy: Float32Array, x: Float32Array, lo: number, hi: number, out: Float32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i] > lo && x[i] <= hi ? dy[i] : 0;
}
