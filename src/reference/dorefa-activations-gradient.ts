/**
 * Gradient of dorefaActivations: straight through the rounding, and through clip(x, 0, 1).
 *
 *     dx = dy where 0 ≤ x ≤ 1, else 0
 *
 * Both ends pass, −0 too. NaN in x gives 0. `out` may be dy or x.
 * Source: Zhou et al. 2016, §2.2 and eq. 6.
 */
export function dorefaActivationsGradient(dy: Float32Array, x: Float32Array, out: Float32Array): void {
  for (let i = 0; i < x.length; i++) out[i] = x[i] >= 0 && x[i] <= 1 ? dy[i] : 0;
}
