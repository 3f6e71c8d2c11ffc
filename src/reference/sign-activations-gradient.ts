/**
 * Gradient of signActivations: straight through where the activation is not saturated.
 *
 *     dx = dy where |x| ≤ 1, else 0
 *
 * Both ends pass. NaN in x gives 0. `out` may be dy or x.
 * Source: Hubara et al. 2016, eq. 4.
 */
export function signActivationsGradient(dy: Float32Array, x: Float32Array, out: Float32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = Math.abs(x[i]) <= 1 ? dy[i] : 0;
}
