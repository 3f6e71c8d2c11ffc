import { QuantError } from "../core/errors.js";
import { type GridOptions, gridOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { fl, roundTiesToEven } from "./rounding.js";

/** A range of real values, per tensor (numbers) or per channel (arrays of one length). */
export interface Range {
  readonly min: number | Float32Array;
  readonly max: number | Float32Array;
}

const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/**
 * Scale and zero point that map a range of real values onto a grid.
 *
 * The range is widened to contain 0, so that 0 has an exact code. Arithmetic in float64, scale rounded to float32 once:
 *
 *     affine              scale = fl((max − min) / (qmax − qmin)), zeroPoint = clamp(rne(qmin − min/scale), qmin, qmax)
 *     symmetric signed    scale = fl(max(|min|, |max|) / qmax), zeroPoint = 0
 *     symmetric unsigned  scale = fl(max(|min|, |max|) / 2^(bits−1)), zeroPoint = 2^(bits−1)
 *
 * A range of only 0 gives scale 1 and zeroPoint 0 clamped into the grid. A scale below the smallest normal float32
 * becomes it.
 *
 * Errors: RangeError for bad grid options, min > max, or a scale above the largest float32; QuantError `non-finite` for
 * NaN or ±Infinity. `where` begins the message.
 * Source: Jacob et al. 2018, eq. 13.
 *
 * @example
 * chooseQuantParams({ min: -1, max: 1 }, { bits: 8, narrowRange: true, symmetric: true }); // scale fl(1/127), zeroPoint 0
 */
export function chooseQuantParams(range: Range, options: GridOptions, where = "chooseQuantParams"): QuantParams {
  const { min, max } = range;
  const grid = gridOf(where, options);
  if (typeof min === "number" && typeof max === "number") {
    return { ...choose(where, min, max, options), ...grid };
  }
  if (!(min instanceof Float32Array) || !(max instanceof Float32Array) || min.length !== max.length) {
    throw new TypeError(`${where}: expected min and max as numbers or as two Float32Arrays of one length`);
  }
  const scale = new Float32Array(min.length);
  const zeroPoint = new Int32Array(min.length);
  for (let c = 0; c < min.length; c++) {
    const one = choose(`${where}, channel ${c}`, min[c], max[c], options);
    scale[c] = one.scale;
    zeroPoint[c] = one.zeroPoint;
  }
  return { scale, zeroPoint, ...grid };
}

function choose(where: string, min: number, max: number, options: GridOptions): { scale: number; zeroPoint: number } {
  if (!Number.isFinite(min) || !Number.isFinite(max)) {
    throw new QuantError("non-finite", `${where}: expected a finite range, got [${min}, ${max}]`, { min, max });
  }
  if (min > max) throw new RangeError(`${where}: expected min ≤ max, got [${min}, ${max}]`);
  const { bits, signed = true, symmetric = false } = options;
  const { qmin, qmax } = gridOf(where, options);
  const lo = Math.min(min, 0);
  const hi = Math.max(max, 0);
  if (lo === hi) return { scale: 1, zeroPoint: Math.max(qmin, Math.min(qmax, 0)) };
  const extent = symmetric ? Math.max(-lo, hi) : hi - lo;
  const steps = symmetric ? (signed ? qmax : 2 ** (bits - 1)) : qmax - qmin;
  const scale = Math.max(SMALLEST_NORMAL, fl(extent / steps));
  if (scale > LARGEST) {
    throw new RangeError(`${where}: expected a range whose scale fits float32, got [${min}, ${max}]`);
  }
  if (symmetric) return { scale, zeroPoint: signed ? 0 : 2 ** (bits - 1) };
  return { scale, zeroPoint: Math.max(qmin, Math.min(qmax, roundTiesToEven(qmin - lo / scale))) };
}
