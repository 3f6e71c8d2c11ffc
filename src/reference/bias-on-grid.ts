import { fl, roundTiesToEven } from "./rounding.js";

/** Largest code of a bias: 2^30 leaves the other half of the accumulator to the products. */
const LARGEST_BIAS_CODE = 2 ** 30;

/**
 * Rounds biases to the grid on which an integer layer adds them: codes of int32 in steps of sx · sw[c].
 *
 *     q[c] = rne(b[c] / (sx · sw[c])),   out[c] = fl(q[c] · sx · sw[c])      (float64, rounded to float32 once)
 *
 * Shapes: bias and out of one length C; weightScale of length C, or 1 for all channels. `out` may be bias itself.
 * Its gradient is the identity. Source: Jacob et al. 2018, eq. 11.
 */
export function biasOnGrid(bias: Float32Array, inputScale: number, weightScale: Float32Array, out: Float32Array): void {
  for (let c = 0; c < bias.length; c++) {
    const step = stepOf(inputScale, weightScale, c);
    out[c] = fl(roundTiesToEven(bias[c] / step) * step);
  }
}

/**
 * The codes of biases on that grid: q[c] = rne(b[c] / (sx · sw[c])), within ±2^30 or a little more after raiseForBias.
 *
 * Shapes: as biasOnGrid.
 */
export function biasCodes(bias: Float32Array, inputScale: number, weightScale: Float32Array, out: Int32Array): void {
  for (let c = 0; c < bias.length; c++) out[c] = roundTiesToEven(bias[c] / stepOf(inputScale, weightScale, c));
}

function stepOf(inputScale: number, weightScale: Float32Array, c: number): number {
  return inputScale * weightScale[weightScale.length === 1 ? 0 : c];
}

/**
 * Raises the scales of weights, in place, where a bias would not fit its grid: sw[c] = max(sw[c], fl(|b[c]| / (sx · 2^30))).
 *
 * Shapes: as biasOnGrid. NaN in a bias leaves the scale as it is.
 */
export function raiseForBias(weightScale: Float32Array, bias: Float32Array, inputScale: number): void {
  for (let c = 0; c < bias.length; c++) {
    const at = weightScale.length === 1 ? 0 : c;
    const needed = fl(Math.abs(bias[c]) / (inputScale * LARGEST_BIAS_CODE));
    if (needed > weightScale[at]) weightScale[at] = needed;
  }
}
