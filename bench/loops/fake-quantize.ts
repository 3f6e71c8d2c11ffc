// fl((clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax) − zeroPoint) · scale), NaN 0, as JavaScript loops: see quantize.ts.

/** One way of fake-quantizing with one scale. */
export type FakeQuantizeLoop = (
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
) => void;

const MAGIC = 1.5 * 2 ** 52;

/** Only what lies on the grid is rounded. */
function insideLoop(
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zeroPoint;
  const hi = qmax - zeroPoint;
  for (let i = 0; i < n; i++) {
    const v = Math.fround(x[i] * factor);
    if (v >= lo && v <= hi) out[i] = (v + MAGIC - MAGIC) * scale;
    else out[i] = v > hi ? hi * scale : v < lo ? lo * scale : 0;
  }
}

/** Values are clamped, by branches. */
function branchLoop(
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = (qmin - zeroPoint) * scale;
  const hi = (qmax - zeroPoint) * scale;
  for (let i = 0; i < n; i++) {
    let y = (Math.fround(x[i] * factor) + MAGIC - MAGIC) * scale;
    if (y < lo) y = lo;
    else if (y > hi) y = hi;
    else if (Number.isNaN(y)) y = 0;
    out[i] = y;
  }
}

/** Values are clamped, and NaN is looked for once. */
function eraseLoop(
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zeroPoint;
  const hi = qmax - zeroPoint;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const y = Math.max(lo, Math.min(hi, Math.fround(x[i] * factor) + MAGIC - MAGIC)) * scale;
    sum += y;
    out[i] = y;
  }
  if (Number.isNaN(sum)) for (let i = 0; i < n; i++) if (Number.isNaN(out[i])) out[i] = 0;
}

/** NaN becomes 0 on its way to an integer. */
function integerLoop(
  x: Float32Array,
  out: Float32Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zeroPoint;
  const hi = qmax - zeroPoint;
  for (let i = 0; i < n; i++) {
    const v = Math.fround(x[i] * factor) + MAGIC - MAGIC;
    out[i] = ((v < lo ? lo : v > hi ? hi : v) | 0) * scale;
  }
}

export const fakeQuantizeLoops: readonly FakeQuantizeLoop[] = [insideLoop, branchLoop, eraseLoop, integerLoop];

/** insideLoop over `inner` elements of each channel in turn. */
export function fakeQuantizeChannelLoop(
  x: Float32Array,
  out: Float32Array,
  scale: Float32Array,
  zeroPoint: Int32Array,
  qmin: number,
  qmax: number,
  inner: number,
): void {
  const channels = scale.length;
  const factors = Float64Array.from(scale, (s) => 1 / s);
  const n = x.length;
  for (let i = 0; i < n; ) {
    for (let c = 0; c < channels; c++) {
      const s = scale[c];
      const factor = factors[c];
      const lo = qmin - zeroPoint[c];
      const hi = qmax - zeroPoint[c];
      for (const end = i + inner; i < end; i++) {
        const v = Math.fround(x[i] * factor);
        if (v >= lo && v <= hi) out[i] = (v + MAGIC - MAGIC) * s;
        else out[i] = v > hi ? hi * s : v < lo ? lo * s : 0;
      }
    }
  }
}
