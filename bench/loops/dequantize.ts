// fl((q − zeroPoint) · scale) as JavaScript loops: the float64 product is exact, and storing it rounds once.

/** One way of dequantizing with one scale. */
export type DequantizeLoop = (q: Int8Array, out: Float32Array, scale: number, zeroPoint: number) => void;

function productLoop(q: Int8Array, out: Float32Array, scale: number, zeroPoint: number): void {
  const n = q.length;
  const zero = zeroPoint | 0;
  for (let i = 0; i < n; i++) out[i] = (q[i] - zero) * scale;
}

/** Looks the 256 possible values up. */
function tableLoop(q: Int8Array, out: Float32Array, scale: number, zeroPoint: number): void {
  const n = q.length;
  const table = Float32Array.from({ length: 256 }, (_, i) => (i - 128 - zeroPoint) * scale);
  for (let i = 0; i < n; i++) out[i] = table[q[i] + 128];
}

export const dequantizeLoops: readonly DequantizeLoop[] = [productLoop, tableLoop];

/** productLoop over `inner` elements of each channel in turn. */
export function dequantizeChannelLoop(
  q: Int8Array,
  out: Float32Array,
  scale: Float32Array,
  zeroPoint: Int32Array,
  inner: number,
): void {
  const channels = scale.length;
  const n = q.length;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const factor = scale[c];
      const zero = zeroPoint[c];
      for (const end = i + inner; i < end; i++) out[i] = (q[i] - zero) * factor;
    }
  }
}
