// The gradient of DoReFa's weights as JavaScript loops: the bits of src/reference/dorefa-weights-gradient.ts, and one that is
// only close.
import { largestMagnitude } from "./largest-magnitude.js";
import { exactTanh } from "./tanh.js";

/** One way of forming the gradient; false, with `out` untouched, where a weight is NaN or ±Infinity. `out` is not w. */
export type WeightsGradientLoop = (dy: Float32Array, w: Float32Array, out: Float32Array) => boolean;

const fl = Math.fround;

/** One pass forms sums and what flows through tanh; what flows through the maximum is put where it belongs afterwards. */
export function weightsGradientLoop(dy: Float32Array, w: Float32Array, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  if (largest === 0) {
    out.fill(0);
    return true;
  }
  const limit = exactTanh(largest);
  const partial = new Float32Array(4);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const t = exactTanh(w[i]);
    partial[i & 3] += fl(dy[i] * t);
    if (Math.abs(w[i]) === largest) count++;
    out[i] = fl(dy[i] * fl(fl(1 - t) * fl(1 + t))) / limit;
  }
  const sum = fl(fl(partial[0] + partial[1]) + fl(partial[2] + partial[3]));
  const slope = fl(fl(1 - limit) * fl(1 + limit));
  const share = fl(fl(fl(fl(sum / limit) / limit) * slope) / count);
  for (let i = 0; i < n; i++) if (Math.abs(w[i]) === largest) out[i] = out[i] - Math.sign(w[i]) * share;
  return true;
}

/** What one would write without a definition to meet: Math.tanh, and float64 in between. */
export function looseWeightsGradientLoop(dy: Float32Array, w: Float32Array, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  if (largest === 0) {
    out.fill(0);
    return true;
  }
  const limit = Math.tanh(largest);
  const factor = 1 / limit;
  let sum = 0;
  let count = 0;
  for (let i = 0; i < n; i++) {
    const t = Math.tanh(w[i]);
    sum += dy[i] * t;
    if (Math.abs(w[i]) === largest) count++;
    out[i] = dy[i] * (1 - t * t) * factor;
  }
  const share = (sum * factor * factor * (1 - limit * limit)) / count;
  for (let i = 0; i < n; i++) if (Math.abs(w[i]) === largest) out[i] = out[i] - Math.sign(w[i]) * share;
  return true;
}
