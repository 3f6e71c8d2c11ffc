// DoReFa's gradients as JavaScript loops: the bits of src/reference/dorefa-gradients.ts.
import { largestMagnitude } from "./largest-magnitude.js";

/** One way of rounding gradients with the noise of `key`; false where a value is NaN or ±Infinity. */
export type GradientsLoop = (dr: Float32Array, bits: number, batch: number, key: number, out: Float32Array) => boolean;

const MAGIC = 1.5 * 2 ** 52;
const fl = Math.fround;

export function gradientsLoop(dr: Float32Array, bits: number, batch: number, key: number, out: Float32Array): boolean {
  const size = dr.length / batch;
  const levels = 2 ** bits - 1;
  const half = levels / 2;
  const step = fl(1 / levels);
  for (let start = 0; start < dr.length; start += size) {
    const end = start + size;
    const m = largestMagnitude(dr, start, end);
    if (!Number.isFinite(m)) return false;
    if (m === 0) {
      out.fill(0, start, end);
      continue;
    }
    // The float64 product with 1/m, rounded to float32, is fl(dr/m): see quantize.ts.
    const factor = 1 / m;
    for (let i = start; i < end; i++) {
      let h = key ^ i;
      h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
      h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
      h ^= h >>> 16;
      const sigma = (h >>> 8) * 2 ** -24 - 0.5;
      const v = fl(fl(fl(dr[i] * factor) * half) + half);
      const r = v + MAGIC - MAGIC;
      const code = r + (fl(v - r + sigma) + MAGIC - MAGIC);
      out[i] = fl((2 * code - levels) * step) * m;
    }
  }
  return true;
}

/** Noise and nothing else, by Math.random. */
export function randomLoop(out: Float32Array): void {
  const n = out.length;
  for (let i = 0; i < n; i++) out[i] = Math.random() - 0.5;
}
