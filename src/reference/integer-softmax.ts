import { roundTiesToEven } from "./rounding.js";

/** Bits of 1 = e^0 in the table. */
const UNIT_BITS = 23;

/**
 * The exponentials of all differences of codes.
 *
 *     e[d] = rne(2^23 · exp(−beta · scale · d))   for d = max − q in 0…255, in float64
 */
export function exponentialTable(beta: number, scale: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, d) => roundTiesToEven(2 ** UNIT_BITS * Math.exp(-beta * scale * d)));
}

/**
 * Softmax over rows of codes; the output has scale 1/256 and zero point −128.
 *
 *     y[r, c] = min(⌊(256·e[max − x[r, c]] + sum/2) / sum⌋ − 128, 127),   max and sum of the row's e over c
 *
 * x and out [rows, channels], out written. Rounding: once, ties up. Overflow: sums in 64 bits, exact below 2^43: 2^20 channels.
 */
export function integerSoftmax(x: Int8Array, table: Int32Array, channels: number, out: Int8Array): void {
  for (let row = 0; row < x.length; row += channels) {
    let max = -128;
    for (let c = 0; c < channels; c++) max = Math.max(max, x[row + c]);
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += table[max - x[row + c]];
    for (let c = 0; c < channels; c++) {
      out[row + c] = Math.min(127, Math.floor((256 * table[max - x[row + c]] + Math.floor(sum / 2)) / sum) - 128);
    }
  }
}
