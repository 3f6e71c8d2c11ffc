/**
 * Gradient of dorefaActivations: straight through the rounding, and through clip(x, 0, bound).
 *
 *     dx = dy where 0 ≤ x ≤ bound, else 0
 *
 * Both ends pass, −0 too. NaN in x gives 0. `out` may be dy or x.
 * Source: Zhou et al. 2016, §2.2 and eq. 6.
 */
export function dorefaActivationsGradient(dy: Float32Array, x: Float32Array, out: Float32Array, bound = 1): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i] >= 0 && x[i] <= bound ? dy[i] : 0;
}
