import type { Channels } from "./sample-models.js";

/** Codes and scales of a weight, by the definition and independent of the library: symmetric, narrow, ties to even. */
export function expectedCodes(
  weight: Float32Array,
  shape: readonly number[],
  channels: Channels | undefined,
  bits = 8,
): { codes: Int8Array; scales: Float32Array; values: Float32Array } {
  const from = channels === "depthwise" ? 2 : (channels ?? 0);
  const to = channels === "depthwise" ? 4 : from + 1;
  const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  const count = channels === undefined ? 1 : size(shape.slice(from, to));
  const inner = channels === undefined ? weight.length : size(shape.slice(to));
  const channelOf = (i: number): number => Math.floor(i / inner) % count;
  const qmax = 2 ** (bits - 1) - 1;
  const scales = new Float32Array(count);
  weight.forEach((w, i) => {
    scales[channelOf(i)] = Math.max(scales[channelOf(i)], Math.abs(w));
  });
  scales.forEach((max, c) => {
    scales[c] = max === 0 ? 1 : max / qmax;
  });
  const codes = Int8Array.from(weight, (w, i) => {
    const ratio = Math.fround(w / scales[channelOf(i)]);
    const down = Math.floor(ratio);
    const rounded = ratio - down === 0.5 ? down + (down & 1) : Math.round(ratio);
    return Math.max(-qmax, Math.min(qmax, rounded));
  });
  return { codes, scales, values: Float32Array.from(codes, (q, i) => q * scales[channelOf(i)]) };
}
