// DoReFa's weights as JavaScript loops that give the bits of src/reference/dorefa-weights.ts, and one that does not quite.
import { largestMagnitude } from "./largest-magnitude.js";
import { exactTanh } from "./tanh.js";

/** One way of rounding weights; false, with `out` untouched, where one is NaN or ±Infinity. */
export type WeightsLoop = (w: Float32Array, bits: number, out: Float32Array) => boolean;

const MAGIC = 1.5 * 2 ** 52;
const fl = Math.fround;

/** 1 bit: ±E. The sum has four partial sums, as the definition has. */
export function oneBitLoop(w: Float32Array, _bits: number, out: Float32Array): boolean {
  const n = w.length;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i < n - 3; i += 4) {
    a = fl(a + Math.abs(w[i]));
    b = fl(b + Math.abs(w[i + 1]));
    c = fl(c + Math.abs(w[i + 2]));
    d = fl(d + Math.abs(w[i + 3]));
  }
  if (i < n) a = fl(a + Math.abs(w[i]));
  if (i + 1 < n) b = fl(b + Math.abs(w[i + 1]));
  if (i + 2 < n) c = fl(c + Math.abs(w[i + 2]));
  const sum = fl(fl(a + b) + fl(c + d));
  // A sum of finite values may be infinite.
  if (!Number.isFinite(sum) && !Number.isFinite(largestMagnitude(w, 0, n))) return false;
  const mean = fl(sum / fl(n));
  for (i = 0; i < n; i++) out[i] = w[i] >= 0 ? mean : -mean;
  return true;
}

/** 2 bits and more, as the definition reads: tanh of each weight. */
export function tanhLoop(w: Float32Array, bits: number, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  const limit = largest === 0 ? 1 : exactTanh(largest);
  const levels = 2 ** bits - 1;
  const half = levels / 2;
  const step = fl(1 / levels);
  for (let i = 0; i < n; i++) {
    const code = fl(fl(fl(exactTanh(w[i]) / limit) * half) + half) + MAGIC - MAGIC;
    out[i] = (2 * code - levels) * step;
  }
  return true;
}

/** What one would write without a definition to meet: other codes next to ties. */
export function looseTanhLoop(w: Float32Array, bits: number, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  const levels = 2 ** bits - 1;
  const half = levels / 2;
  const factor = largest === 0 ? 0 : half / Math.tanh(largest);
  const step = 2 / levels;
  for (let i = 0; i < n; i++) out[i] = (Math.tanh(w[i]) * factor + half + MAGIC - MAGIC) * step - 1;
  return true;
}

/** 2 bits, by comparison with the three thresholds. */
export function twoBitLoop(w: Float32Array, bits: number, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  if (largest === 0) return tanhLoop(w, bits, out);
  const [, a, b, c] = thresholdsOf(largest, bits);
  const [v0, v1, v2, v3] = valuesOf(bits);
  for (let i = 0; i < n; i++) {
    const value = w[i];
    const lower = value >= a ? v1 : v0;
    const upper = value >= c ? v3 : v2;
    out[i] = value >= b ? upper : lower;
  }
  return true;
}

/**
 * 2 to 8 bits, without tanh in the loop: the range of the weights is cut into equal cells with one threshold each at most, so
 * that a weight's cell and one comparison tell its code.
 */
export function tableLoop(w: Float32Array, bits: number, out: Float32Array): boolean {
  const n = w.length;
  const largest = largestMagnitude(w, 0, n);
  if (!Number.isFinite(largest)) return false;
  if (largest === 0) return tanhLoop(w, bits, out);
  const thresholds = thresholdsOf(largest, bits);
  const levels = 2 ** bits - 1;
  const width = 2 * largest;
  let gap = width;
  for (let j = 2; j <= levels; j++) gap = Math.min(gap, thresholds[j] - thresholds[j - 1]);
  const last = Math.ceil((1.01 * width) / gap);
  const factor = last / width;
  // Weights far beyond the thresholds, or thresholds next to each other on the grid of floats: there is nothing to be gained.
  if (!(last < 2 ** 16 && Number.isFinite(factor))) return tanhLoop(w, bits, out);
  // below[cell]: how many thresholds lie in cells before. The same rounding puts a threshold and the weights into cells.
  const below = new Uint8Array(last + 2);
  for (let j = 1; j <= levels; j++) below[(((thresholds[j] + largest) * factor) | 0) + 1]++;
  for (let cell = 1; cell < below.length; cell++) below[cell] += below[cell - 1];
  const values = valuesOf(bits);
  for (let i = 0; i < n; i++) {
    const value = w[i];
    const code = below[((value + largest) * factor) | 0];
    out[i] = value >= thresholds[code + 1] ? values[code + 1] : values[code];
  }
  return true;
}

/** The value of each code. */
function valuesOf(bits: number): Float32Array {
  const levels = 2 ** bits - 1;
  return Float32Array.from({ length: levels + 1 }, (_, code) => (2 * code - levels) * fl(1 / levels));
}

/** At 1 … n the smallest weights with that code; behind them one that no weight reaches. largest > 0. */
function thresholdsOf(largest: number, bits: number): Float32Array {
  const levels = 2 ** bits - 1;
  const half = levels / 2;
  const limit = exactTanh(largest);
  const codeOf = (w: number): number => fl(fl(fl(exactTanh(w) / limit) * half) + half) + MAGIC - MAGIC;
  const thresholds = new Float32Array(levels + 2);
  const guess = new Float32Array(1);
  const bits32 = new Int32Array(guess.buffer);
  // Floats by their place in the order of floats, so that bisection takes at most 32 steps; most end where atanh says.
  const place = (w: number): number => {
    guess[0] = w;
    return bits32[0] < 0 ? -(bits32[0] & 0x7fffffff) : bits32[0];
  };
  const at = (ordinal: number): number => {
    bits32[0] = ordinal < 0 ? -ordinal | 0x80000000 : ordinal;
    return guess[0];
  };
  const end = place(largest);
  for (let j = 1; j <= levels; j++) {
    const near = Math.max(-end, Math.min(end, place(Math.atanh((limit * (2 * j - 1 - levels)) / levels))));
    let width = 4;
    let low = Math.max(-end, near - width);
    let high = Math.min(end, near + width);
    while (low > -end && codeOf(at(low)) >= j) {
      width *= 4;
      low = Math.max(-end, low - width);
    }
    while (high < end && codeOf(at(high)) < j) {
      width *= 4;
      high = Math.min(end, high + width);
    }
    while (high - low > 1) {
      const middle = low + ((high - low) >> 1);
      if (codeOf(at(middle)) >= j) high = middle;
      else low = middle;
    }
    thresholds[j] = at(high);
  }
  thresholds[levels + 1] = Number.POSITIVE_INFINITY;
  return thresholds;
}

/** The ways to the defined bits. */
export function weightsLoops(bits: number): readonly WeightsLoop[] {
  return bits === 1 ? [oneBitLoop] : bits === 2 ? [tanhLoop, tableLoop, twoBitLoop] : [tanhLoop, tableLoop];
}
