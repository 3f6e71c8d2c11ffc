import { BLOCK_CHANNELS } from "../wasm/layer-words.js";
import { blockStarts } from "./channel-blocks.js";

// Weights [channels, depth] of codes in the order that the kernels read them; the layouts stand with the kernels.

/** i16[blocks, depth / 2, 8, 2] of conv2dDirect: runs of `runLength` weights, each made `run` long by zeros. */
export function packDirect(weights: Int8Array, channels: number, runLength: number, run: number): Int16Array {
  const length = weights.length / channels;
  const depth = (length / runLength) * run;
  const starts = blockStarts(channels);
  const packed = new Int16Array(starts.length * depth * BLOCK_CHANNELS);
  eachLane(starts, channels, (b, lane, c) => {
    for (let i = 0; i < length; i++) {
      const k = Math.floor(i / runLength) * run + (i % runLength);
      packed[pairIndex(b * (depth / 2), k, BLOCK_CHANNELS, lane)] = weights[c * length + i];
    }
  });
  return packed;
}

/** i8[pairs of blocks, depth / 2, 16, 2] of matrixVector. */
export function packMatrix(weights: Int8Array, channels: number, depth: number): Int8Array {
  const length = weights.length / channels;
  const starts = blockStarts(channels);
  const packed = new Int8Array(Math.ceil(starts.length / 2) * depth * 2 * BLOCK_CHANNELS);
  eachLane(starts, channels, (b, lane, c) => {
    const half = (b % 2) * BLOCK_CHANNELS;
    for (let k = 0; k < length; k++) {
      packed[pairIndex((b >> 1) * (depth / 2), k, 2 * BLOCK_CHANNELS, half + lane)] = weights[c * length + k];
    }
  });
  return packed;
}

/** i16[blocks, taps / 2, 8, 2] of depthwiseConv2d, from weights [taps, channels]. */
export function packDepthwise(weights: Int8Array, channels: number, taps: number): Int16Array {
  const starts = blockStarts(channels);
  const packed = new Int16Array(starts.length * taps * BLOCK_CHANNELS);
  eachLane(starts, channels, (b, lane, c) => {
    for (let tap = 0; tap * channels < weights.length; tap++) {
      packed[pairIndex(b * (taps / 2), tap, BLOCK_CHANNELS, lane)] = weights[tap * channels + c];
    }
  });
  return packed;
}

/** i16[blocks, taps, 8] of depthwise3x3, from weights [taps, channels]. */
export function packTaps(weights: Int8Array, channels: number): Int16Array {
  const taps = weights.length / channels;
  const starts = blockStarts(channels);
  const packed = new Int16Array(starts.length * taps * BLOCK_CHANNELS);
  eachLane(starts, channels, (b, lane, c) => {
    for (let tap = 0; tap < taps; tap++) {
      packed[(b * taps + tap) * BLOCK_CHANNELS + lane] = weights[tap * channels + c];
    }
  });
  return packed;
}

/** Visits the lanes of all blocks that hold a channel. */
export function eachLane(
  starts: readonly number[],
  channels: number,
  visit: (block: number, lane: number, channel: number) => void,
): void {
  for (const [b, start] of starts.entries()) {
    for (let lane = 0; lane < Math.min(BLOCK_CHANNELS, channels); lane++) visit(b, lane, start + lane);
  }
}

/** Index in [pairs, lanes, 2] of step k of depth, counted from pair `pair`. */
export function pairIndex(pair: number, k: number, lanes: number, lane: number): number {
  return ((pair + (k >> 1)) * lanes + lane) * 2 + (k & 1);
}
