import type { Requantization } from "../reference/requantize.js";
import { roundOnce } from "../reference/requantize.js";
import { BLOCK, BLOCK_CHANNELS, BLOCK_RULE, BLOCK_WORDS } from "../wasm/layer-words.js";

/** Sums of one layer, seen by channel. */
export interface ChannelSums {
  /** What sums start from: the bias, with the zero point of the input folded in. */
  readonly bias: Int32Array;
  /** Least and largest sum that any input gives, the bias included. */
  readonly least: Float64Array;
  readonly largest: Float64Array;
}

/** First channel of each block of eight: 0, 8 … and, where eight do not go in, the last eight. */
export function blockStarts(channels: number): number[] {
  return Array.from({ length: Math.ceil(channels / BLOCK_CHANNELS) }, (_, b) =>
    Math.max(0, Math.min(b * BLOCK_CHANNELS, channels - BLOCK_CHANNELS)),
  );
}

/**
 * The bias and the extreme sums of a layer with weights: eachWeight visits every weight with its output channel.
 *
 * Σ (x − zx)·w = Σ x·w − zx·Σw, and −128 ≤ x ≤ 127.
 */
export function channelSums(
  channels: number,
  bias: Int32Array | undefined,
  inputZeroPoint: number,
  eachWeight: (visit: (weight: number, channel: number) => void) => void,
): ChannelSums {
  const total = new Float64Array(channels);
  const least = new Float64Array(channels);
  const largest = new Float64Array(channels);
  eachWeight((weight, channel) => {
    total[channel] += weight;
    least[channel] += weight > 0 ? -128 * weight : 127 * weight;
    largest[channel] += weight > 0 ? 127 * weight : -128 * weight;
  });
  const folded = Int32Array.from(total, (sum, c) => (bias?.[c] ?? 0) - inputZeroPoint * sum);
  return {
    bias: folded,
    least: least.map((sum, c) => sum + folded[c]),
    largest: largest.map((sum, c) => sum + folded[c]),
  };
}

/**
 * The channel blocks of a layer (assembly/core/layer-words.ts), BLOCK_WORDS words each.
 *
 * Rounded once, a block takes the fast rule where each channel's sums fit the block's shift; a channel whose sums all round to zero
 * has the multiplier 0 and fits any.
 */
export function channelBlocks(sums: ChannelSums, to: Requantization): Int32Array {
  const starts = blockStarts(sums.bias.length);
  const words = new Int32Array(starts.length * BLOCK_WORDS);
  for (const [b, start] of starts.entries()) {
    const block = words.subarray(b * BLOCK_WORDS, (b + 1) * BLOCK_WORDS);
    const channels = Array.from({ length: Math.min(BLOCK_CHANNELS, sums.bias.length) }, (_, i) => start + i);
    for (const [i, c] of channels.entries()) block[BLOCK.bias + i] = sums.bias[c];
    block[BLOCK.channel] = start;
    block[BLOCK.count] = channels.length;
    if (to.rounding === "float32") fillFloat32(block, to.scale, start);
    else fillFixedPoint(block, sums, to, channels);
  }
  return words;
}

function fillFloat32(block: Int32Array, scale: Float32Array, start: number): void {
  block[BLOCK.rule] = BLOCK_RULE.float32;
  const bits = new Int32Array(scale.slice(start, start + BLOCK_CHANNELS).buffer);
  block.set(bits, BLOCK.multiplier);
}

type FixedPoint = Exclude<Requantization, { rounding: "float32" }>;

function fillFixedPoint(block: Int32Array, sums: ChannelSums, to: FixedPoint, channels: readonly number[]): void {
  for (const [i, c] of channels.entries()) {
    block[BLOCK.multiplier + i] = to.multiplier[c];
    block[BLOCK.factor + i] = to.shift[c];
  }
  if (to.rounding === "twice") {
    block[BLOCK.rule] = BLOCK_RULE.twice;
    return;
  }
  const live = channels.filter((c) => !roundsToZero(sums, to, c));
  const shift = Math.max(1, ...live.map((c) => to.shift[c]));
  const fits = live.every((c) => Math.max(-sums.least[c], sums.largest[c]) * 2 ** (shift - to.shift[c]) < 2 ** 31);
  if (!fits) {
    block[BLOCK.rule] = BLOCK_RULE.exact;
    return;
  }
  block[BLOCK.rule] = BLOCK_RULE.integer;
  block[BLOCK.shift] = shift - 1;
  for (const [i, c] of channels.entries()) {
    const dead = !live.includes(c);
    if (dead) block[BLOCK.multiplier + i] = 0;
    block[BLOCK.factor + i] = dead ? 0 : 2 ** (shift - to.shift[c]);
  }
}

/** Whether every sum of a channel rounds to 0; rounding is monotone, so its ends tell. */
function roundsToZero({ least, largest }: ChannelSums, to: FixedPoint, c: number): boolean {
  const by = { multiplier: to.multiplier[c], shift: to.shift[c] };
  return by.multiplier === 0 || (roundOnce(least[c], by) === 0 && roundOnce(largest[c], by) === 0);
}
