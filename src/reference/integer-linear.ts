import { type Requantization, requantize } from "./requantize.js";

/** What the integer layers with weights have in common. */
export interface IntegerLinear {
  /** Codes with zero point 0. */
  readonly weights: Int8Array;
  /** One per output channel; absent: zeros. */
  readonly bias?: Int32Array;
  readonly inputZeroPoint: number;
  readonly requantization: Requantization;
}

/** Sums [rows, channels] that begin with the bias. */
export function biasRows(rows: number, channels: number, bias: Int32Array | undefined): Int32Array {
  const sums = new Int32Array(rows * channels);
  if (bias !== undefined) for (let row = 0; row < rows; row++) sums.set(bias, row * channels);
  return sums;
}

/** Codes of sums [rows, channels]. */
export function requantizeRows(sums: Int32Array, to: Requantization, channels: number, out: Int8Array): void {
  for (let i = 0; i < sums.length; i++) out[i] = requantize(sums[i], to, i % channels);
}
