import type { Requantization } from "../reference/requantize.js";
import { BLOCK, BLOCK_CHANNELS, BLOCK_WORDS } from "../wasm/layer-words.js";
import { channelBlocks } from "./channel-blocks.js";

/** Least and largest sum that codes give, `bias` included. */
export interface SumRange {
  readonly bias: number;
  readonly least: number;
  readonly largest: number;
}

/**
 * The block of a layer whose elements all share one requantization (assembly/core/layer-words.ts); `length` is that of a run.
 */
export function elementBlock({ bias, least, largest }: SumRange, to: Requantization, length: number): Int32Array {
  const alike = <T extends { fill(value: number): T }>(array: T, value: number): T => array.fill(value);
  const sums = {
    bias: alike(new Int32Array(BLOCK_CHANNELS), bias),
    least: alike(new Float64Array(BLOCK_CHANNELS), least),
    largest: alike(new Float64Array(BLOCK_CHANNELS), largest),
  };
  const block = channelBlocks(sums, forEight(to));
  block[BLOCK.count] = Math.min(length, BLOCK_CHANNELS);
  return block;
}

/** The first and only multiplier, eight times. */
function forEight(to: Requantization): Requantization {
  if (to.rounding === "float32") return { ...to, scale: new Float32Array(BLOCK_CHANNELS).fill(to.scale[0]) };
  return {
    ...to,
    multiplier: new Int32Array(BLOCK_CHANNELS).fill(to.multiplier[0]),
    shift: new Int32Array(BLOCK_CHANNELS).fill(to.shift[0]),
  };
}

/** An empty block. */
export function emptyBlock(length: number): Int32Array {
  const block = new Int32Array(BLOCK_WORDS);
  block[BLOCK.count] = Math.min(length, BLOCK_CHANNELS);
  return block;
}
