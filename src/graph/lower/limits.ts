import { QuantError } from "../../core/errors.js";

/** Sums are int32. */
const ACCUMULATOR = 2 ** 31;

/** |code − zero point| of an int8 input, at most. */
const LARGEST_DIFFERENCE = 255;

/** Multipliers, and the ratios of an addition, are below. */
const LARGEST_MULTIPLIER = 2 ** 8;

const WIDEN =
  "its output's range is far smaller than its inputs' allow: calibrate with samples that reach it, or leave the layer out";

/**
 * Proves that no sum of a linear layer leaves int32: |bias[c]| + Σ |w[c]| · 255 < 2^31, from the actual codes.
 *
 * @param weights rows of one output channel each
 * @param bias one per channel; absent: zeros
 *
 * Errors: QuantError `unsupported`, naming layer and channel.
 */
export function checkAccumulators(
  where: string,
  weights: Int8Array,
  channels: number,
  bias: Int32Array | undefined,
): void {
  const perChannel = weights.length / channels;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let i = c * perChannel; i < (c + 1) * perChannel; i++) sum += Math.abs(weights[i]);
    const bound = Math.abs(bias?.[c] ?? 0) + sum * LARGEST_DIFFERENCE;
    if (bound >= ACCUMULATOR) {
      throw new QuantError(
        "unsupported",
        `${where}: expected |bias| + 255 · Σ|weights| < 2^31, got ${bound} at channel ${c}; make the layer smaller, or give its weights fewer bits`,
        { channel: c, bound },
      );
    }
  }
}

/** Checks that input scale · weight scale / output scale < 2^8 for every channel. Errors: QuantError `unsupported`. */
export function checkMultipliers(
  where: string,
  inputScale: number,
  weightScales: ArrayLike<number>,
  outputScale: number,
): void {
  for (let c = 0; c < weightScales.length; c++) {
    const multiplier = (inputScale * weightScales[c]) / outputScale;
    if (multiplier < LARGEST_MULTIPLIER) continue;
    throw new QuantError(
      "unsupported",
      `${where}: expected input scale · weight scale / output scale < 256, got ${multiplier} at channel ${c}; ${WIDEN}`,
      { channel: c, multiplier },
    );
  }
}

/** Checks that a ratio of scales, written out in `formula`, is < 2^8. Errors: QuantError `unsupported`. */
export function checkRatio(where: string, formula: string, ratio: number): void {
  if (ratio < LARGEST_MULTIPLIER) return;
  throw new QuantError("unsupported", `${where}: expected ${formula} < 256, got ${ratio}; ${WIDEN}`, { ratio });
}

/** Checks that an input scale / output scale < 2^8. Errors: QuantError `unsupported`. */
export function checkRescale(where: string, inputScale: number, outputScale: number): void {
  checkRatio(where, "input scale / output scale", inputScale / outputScale);
}
