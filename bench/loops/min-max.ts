// Smallest and largest value as JavaScript loops; like the library they refuse NaN and ±Infinity, and zeros come out as +0.

/** One way of finding the range of a tensor; undefined when it holds NaN or ±Infinity. */
export type MinMaxLoop = (x: Float32Array) => readonly [number, number] | undefined;

function branchLoop(x: Float32Array): readonly [number, number] | undefined {
  const n = x.length;
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const value = x[i];
    if (!(value >= lo)) {
      if (Number.isNaN(value)) return undefined;
      lo = value;
    }
    if (value > hi) hi = value;
  }
  return finite(lo, hi);
}

/** Math.min and Math.max keep NaN. */
function mathLoop(x: Float32Array): readonly [number, number] | undefined {
  const n = x.length;
  let lo = x[0];
  let hi = lo;
  for (let i = 1; i < n; i++) {
    lo = Math.min(lo, x[i]);
    hi = Math.max(hi, x[i]);
  }
  return finite(lo, hi);
}

function finite(lo: number, hi: number): readonly [number, number] | undefined {
  return Number.isFinite(lo) && Number.isFinite(hi) ? [lo + 0, hi + 0] : undefined;
}

export const minMaxLoops: readonly MinMaxLoop[] = [branchLoop, mathLoop];

/** mathLoop over `inner` elements of each channel in turn; undefined when the tensor holds NaN or ±Infinity. */
export function minMaxChannelLoop(
  x: Float32Array,
  channels: number,
  inner: number,
): readonly [Float32Array, Float32Array] | undefined {
  const n = x.length;
  const min = new Float32Array(channels).fill(Number.POSITIVE_INFINITY);
  const max = new Float32Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      let lo = min[c];
      let hi = max[c];
      for (const end = i + inner; i < end; i++) {
        lo = Math.min(lo, x[i]);
        hi = Math.max(hi, x[i]);
      }
      min[c] = lo;
      max[c] = hi;
    }
  }
  for (let c = 0; c < channels; c++) {
    if (!Number.isFinite(min[c]) || !Number.isFinite(max[c])) return undefined;
    min[c] += 0;
    max[c] += 0;
  }
  return [min, max];
}
