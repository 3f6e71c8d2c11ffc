// dy where lo ≤ x ≤ hi, else 0, NaN included, as JavaScript loops. lo and hi are the exact bounds of the definition
// (straightThroughBounds): found once, outside what is measured, while the library finds them in each call.

/** One way of forming the gradient with one range. */
export type GradientLoop = (dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number) => void;

function valueLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  for (let i = 0; i < n; i++) out[i] = x[i] >= lo && x[i] <= hi ? dy[i] : 0;
}

function branchLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  for (let i = 0; i < n; i++) {
    const value = x[i];
    if (value >= lo && value <= hi) out[i] = dy[i];
    else out[i] = 0;
  }
}

/** Copies everything, then erases what lies outside. */
function eraseLoop(dy: Float32Array, x: Float32Array, out: Float32Array, lo: number, hi: number): void {
  const n = x.length;
  out.set(dy);
  for (let i = 0; i < n; i++) {
    const value = x[i];
    if (!(value >= lo && value <= hi)) out[i] = 0;
  }
}

export const gradientLoops: readonly GradientLoop[] = [valueLoop, branchLoop, eraseLoop];

/** valueLoop over `inner` elements of each channel in turn. */
export function gradientChannelLoop(
  dy: Float32Array,
  x: Float32Array,
  out: Float32Array,
  lo: Float32Array,
  hi: Float32Array,
  inner: number,
): void {
  const channels = lo.length;
  const n = x.length;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const low = lo[c];
      const high = hi[c];
      for (const end = i + inner; i < end; i++) out[i] = x[i] >= low && x[i] <= high ? dy[i] : 0;
    }
  }
}
