// Scale and zero point of a range, as src/reference/choose-quant-params.ts defines them: arithmetic in float64, the scale
// rounded to float32 once, the zero point from the rounded scale. A grid is told by qmin and qmax; unsigned means qmin = 0.

// @ts-ignore: decorator
@inline const SMALLEST_NORMAL: f32 = 1.1754943508222875e-38;

/** Number of steps between the two ends that the range is divided by. */
// @ts-ignore: decorator
@inline function stepsOf(qmin: i32, qmax: i32, symmetric: bool): f64 {
  if (!symmetric) return <f64>(qmax - qmin);
  return <f64>(qmin < 0 ? qmax : (qmax + 1) >> 1);
}

/** The scale of [min, max]; +Infinity where it exceeds float32. */
export function scaleOf(min: f32, max: f32, qmin: i32, qmax: i32, symmetric: bool): f32 {
  const lo: f64 = min < 0 ? <f64>min : 0;
  const hi: f64 = max > 0 ? <f64>max : 0;
  if (lo == hi) return 1;
  const extent = symmetric ? (-lo > hi ? -lo : hi) : hi - lo;
  const scale = <f32>(extent / stepsOf(qmin, qmax, symmetric));
  return scale < SMALLEST_NORMAL ? SMALLEST_NORMAL : scale;
}

/** The zero point of [min, max] under its rounded scale. */
export function zeroPointOf(min: f32, max: f32, scale: f32, qmin: i32, qmax: i32, symmetric: bool): i32 {
  const lo: f64 = min < 0 ? <f64>min : 0;
  const hi: f64 = max > 0 ? <f64>max : 0;
  if (lo == hi) return qmin > 0 ? qmin : qmax < 0 ? qmax : 0;
  if (symmetric) return qmin < 0 ? 0 : (qmax + 1) >> 1;
  const z = nearest<f64>(<f64>qmin - lo / <f64>scale);
  return <i32>(z < <f64>qmin ? <f64>qmin : z > <f64>qmax ? <f64>qmax : z);
}
