import type { ChannelView } from "../core/shape.js";
import { fl } from "./rounding.js";

/**
 * The factor that batch normalization puts on each output channel.
 *
 *     k = fl(gamma · fl(1 / fl(√fl(variance + epsilon))))
 *
 * epsilon is a float32. gamma = 0 and variance = 0 give finite results (epsilon > 0).
 */
export function foldBatchNormScale(
  gamma: Float32Array,
  variance: Float32Array,
  epsilon: number,
  k: Float32Array,
): void {
  for (let c = 0; c < k.length; c++) {
    const sigma = fl(Math.sqrt(fl(variance[c] + epsilon)));
    k[c] = fl(gamma[c] * fl(1 / sigma));
  }
}

/** Folded weights: w′ = fl(w · k) along the output channels. `out` may be the weights themselves. */
export function foldBatchNormWeights(
  weights: Float32Array,
  k: Float32Array,
  view: ChannelView,
  out: Float32Array,
): void {
  for (let i = 0; i < weights.length; i++) {
    out[i] = fl(weights[i] * k[Math.floor(i / view.inner) % view.channels]);
  }
}

/** Folded bias: b′ = fl(fl(fl(b − mean) · k) + beta). `out` may be the bias itself. */
export function foldBatchNormBias(
  bias: Float32Array,
  mean: Float32Array,
  k: Float32Array,
  beta: Float32Array,
  out: Float32Array,
): void {
  for (let c = 0; c < out.length; c++) {
    out[c] = fl(fl(fl(bias[c] - mean[c]) * k[c]) + beta[c]);
  }
}
