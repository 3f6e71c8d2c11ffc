import { unitGrid } from "../core/unit-grid.js";
import { unclampedCode } from "./quantize.js";
import { fl } from "./rounding.js";

/**
 * Rounds activations in [0, bound] to 1…16 bits; with bound 1: quantize_k(clip(x, 0, 1)).
 *
 *     code = clamp(rne(fl(x/scale)), 0, n),  y = fl(code·scale),  scale = fl(bound/n),  n = 2^k − 1
 *
 * fakeQuantize on a unit grid, so that the codes are those of the integer layers. Ties to even. NaN gives 0. `out` may be x.
 * Source: Zhou et al. 2016, eq. 6.
 */
export function dorefaActivations(x: Float32Array, bits: number, out: Float32Array, bound = 1): void {
  const { scale, qmax } = unitGrid(bits, bound);
  for (let i = 0; i < x.length; i++) {
    const code = unclampedCode(x[i], scale, 0);
    out[i] = Number.isNaN(code) ? 0 : fl(Math.max(0, Math.min(qmax, code)) * scale);
  }
}
