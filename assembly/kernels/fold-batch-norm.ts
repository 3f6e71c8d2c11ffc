import { BLOCK } from "../core/rounding";

// Folds batch normalization into the weights and bias before it.
//
//     k[c] = fl(gamma[c] * fl(1 / fl(sqrt(fl(variance[c] + epsilon)))))
//     w'   = fl(w * k)                         along the output channels
//     b'   = fl(fl(fl(b - mean) * k) + beta)
//
// Shapes (pointers are byte offsets in linear memory):
//   gamma, beta, mean, variance, bias, k   f32[channels]
//   weights, out                           f32[n], out may be the weights
// Per channel, element i uses entry i mod period (as in quantize.ts) of k f32[period].
//
// Rounding: after each operation, in the order written. gamma = 0 and variance = 0 give finite results for epsilon > 0.
// Source: Jacob et al. 2018, eq. 14; Krishnamoorthi 2018, section 3.2.2.

export function foldBatchNormScaleF32(gamma: usize, variance: usize, epsilon: f32, k: usize, channels: usize): void {
  for (let c: usize = 0; c < channels << 2; c += 4) {
    const sigma = sqrt<f32>(load<f32>(variance + c) + epsilon);
    store<f32>(k + c, load<f32>(gamma + c) * (<f32>1 / sigma));
  }
}

export function foldBatchNormWeightsF32(weights: usize, out: usize, n: usize, k: f32): void {
  const end = weights + ((n & ~(BLOCK - 1)) << 2);
  if (weights < end) {
    const factor = f32x4.splat(k);
    do {
      v128.store(out, f32x4.mul(v128.load(weights), factor));
      v128.store(out, f32x4.mul(v128.load(weights, 16), factor), 16);
      v128.store(out, f32x4.mul(v128.load(weights, 32), factor), 32);
      v128.store(out, f32x4.mul(v128.load(weights, 48), factor), 48);
      weights += 4 * BLOCK;
      out += 4 * BLOCK;
    } while (weights < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, load<f32>(weights) * k);
    weights += 4;
    out += 4;
  }
}

export function foldBatchNormWeightsF32PerChannel(weights: usize, out: usize, n: usize, k: usize, period: usize): void {
  assert(period >= BLOCK);
  const end = weights + ((n & ~(BLOCK - 1)) << 2);
  let c: usize = 0; // byte offset in the table
  if (weights < end) {
    do {
      const factor = k + c;
      v128.store(out, f32x4.mul(v128.load(weights), v128.load(factor)));
      v128.store(out, f32x4.mul(v128.load(weights, 16), v128.load(factor, 16)), 16);
      v128.store(out, f32x4.mul(v128.load(weights, 32), v128.load(factor, 32)), 32);
      v128.store(out, f32x4.mul(v128.load(weights, 48), v128.load(factor, 48)), 48);
      weights += 4 * BLOCK;
      out += 4 * BLOCK;
      c += 4 * BLOCK;
      c -= c >= period << 2 ? period << 2 : 0;
    } while (weights < end);
  }
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    store<f32>(out, load<f32>(weights) * load<f32>(k + c));
    weights += 4;
    out += 4;
    c += 4;
  }
}

export function foldBatchNormBiasF32(
  bias: usize,
  mean: usize,
  k: usize,
  beta: usize,
  out: usize,
  channels: usize,
): void {
  for (let c: usize = 0; c < channels << 2; c += 4) {
    store<f32>(out + c, (load<f32>(bias + c) - load<f32>(mean + c)) * load<f32>(k + c) + load<f32>(beta + c));
  }
}
