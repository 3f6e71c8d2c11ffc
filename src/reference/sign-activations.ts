/**
 * Activations of 1 bit as their sign.
 *
 *     y = 1 where x ≥ 0, else −1
 *
 * ±0 gives 1; NaN, which is not ≥ 0, gives −1. `out` may be x.
 * Source: Hubara et al. 2016, eq. 1.
 */
export function signActivations(x: Float32Array, out: Float32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i] >= 0 ? 1 : -1;
}
