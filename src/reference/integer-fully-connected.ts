import { biasRows, type IntegerLinear, requantizeRows } from "./integer-linear.js";

/**
 * Fully connected layer over codes.
 *
 *     acc[r, o] = bias[o] + Σ (x[r, c] − inputZeroPoint) · w[o, c]   over c;   out = requantize(acc)
 *
 * input [rows, inChannels], weights [outChannels, inChannels], out [rows, outChannels], written.
 * Overflow: as integerConv2d. Source: Jacob et al. 2018, eq. 7.
 */
export function integerFullyConnected(
  input: Int8Array,
  { weights, bias, inputZeroPoint, requantization }: IntegerLinear,
  { inChannels, outChannels }: { readonly inChannels: number; readonly outChannels: number },
  out: Int8Array,
): void {
  const sums = biasRows(out.length / outChannels, outChannels, bias);
  for (let i = 0; i < sums.length; i++) {
    const x = Math.floor(i / outChannels) * inChannels;
    const w = (i % outChannels) * inChannels;
    for (let c = 0; c < inChannels; c++) sums[i] += (input[x + c] - inputZeroPoint) * weights[w + c];
  }
  requantizeRows(sums, requantization, outChannels, out);
}
