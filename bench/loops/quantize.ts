// The definition as JavaScript loops, the fastest ways known: clamp(rne(fl(x/scale)) + zeroPoint, qmin, qmax), NaN the zero
// point. fl(x/scale) is formed by a float64 product with 1/scale: that is off by 2^-52 at most, relatively, and no quotient of
// two float32 lies closer than 2^-49 to the middle of two float32. Adding MAGIC rounds to an integer, ties to even.

/** One way of quantizing with one scale. */
export type QuantizeLoop = (
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
) => void;

const MAGIC = 1.5 * 2 ** 52;

/** Only what lies on the grid is rounded. */
function insideLoop(
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zeroPoint;
  const hi = qmax - zeroPoint;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const v = Math.fround(x[i] * factor);
    if (v >= lo && v <= hi) out[i] = (v + MAGIC - back) | 0;
    else out[i] = v > hi ? qmax : v < lo ? qmin : zeroPoint;
  }
}

/** Integers are clamped; what none can hold goes another way. */
function integerLoop(
  x: Float32Array,
  out: Int8Array,
  scale: number,
  zeroPoint: number,
  qmin: number,
  qmax: number,
): void {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin | 0;
  const hi = qmax | 0;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const v = Math.fround(x[i] * factor);
    if (Math.abs(v) < 1e6) {
      const code = (v + MAGIC - back) | 0;
      out[i] = code < lo ? lo : code > hi ? hi : code;
    } else out[i] = v > 0 ? hi : v < 0 ? lo : zeroPoint;
  }
}

/** Floats are clamped; NaN becomes 0 on its way to an integer. */
function floatLoop(
  x: Float32Array,
  out: Int8Array,
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
    out[i] = (((v < lo ? lo : v > hi ? hi : v) + MAGIC - MAGIC) | 0) + zeroPoint;
  }
}

export const quantizeLoops: readonly QuantizeLoop[] = [insideLoop, integerLoop, floatLoop];

/** Without the rounding to float32 that the definition asks for: other codes near ties. */
export const looseQuantizeLoop: QuantizeLoop = (x, out, scale, zeroPoint, qmin, qmax) => {
  const n = x.length;
  const factor = 1 / scale;
  const lo = qmin - zeroPoint;
  const hi = qmax - zeroPoint;
  const back = MAGIC - zeroPoint;
  for (let i = 0; i < n; i++) {
    const v = x[i] * factor;
    if (v >= lo && v <= hi) out[i] = (v + MAGIC - back) | 0;
    else out[i] = v > hi ? qmax : v < lo ? qmin : zeroPoint;
  }
};

/** insideLoop over `inner` elements of each channel in turn. */
export function quantizeChannelLoop(
  x: Float32Array,
  out: Int8Array,
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
      const factor = factors[c];
      const zero = zeroPoint[c];
      const lo = qmin - zero;
      const hi = qmax - zero;
      const back = MAGIC - zero;
      for (const end = i + inner; i < end; i++) {
        const v = Math.fround(x[i] * factor);
        if (v >= lo && v <= hi) out[i] = (v + MAGIC - back) | 0;
        else out[i] = v > hi ? qmax : v < lo ? qmin : zero;
      }
    }
  }
}
