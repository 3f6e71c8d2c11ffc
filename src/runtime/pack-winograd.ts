import { BLOCK_CHANNELS } from "../wasm/layer-words.js";
import { blockStarts } from "./channel-blocks.js";
import { eachLane, pairIndex } from "./pack-conv2d.js";

/** G with its rows scaled to integers, by the size of the output tile (assembly/layers/winograd-f2.ts, winograd-f4.ts). */
const G: Readonly<Record<2 | 4, readonly (readonly [number, number, number])[]>> = {
  2: [
    [2, 0, 0],
    [1, 1, 1],
    [1, -1, 1],
    [0, 0, 2],
  ],
  4: [
    [1, 0, 0],
    [-1, -1, -1],
    [-1, 1, -1],
    [1, 2, 4],
    [1, -2, 4],
    [0, 0, 1],
  ],
};

/** Sums |Σ x·w| that each size takes exactly; its output transform multiplies them in int32. */
export const WINOGRAD_LIMIT = { 2: 2 ** 29, 4: 2 ** 25 } as const;

/**
 * G g Gᵀ of 3 × 3 weights [channels, 3, 3, inChannels], as i16[blocks, positions, depth / 2, 8, 2].
 *
 * Overflow: none; magnitudes are at most 9·128 (size 2) and 49·128 (size 4).
 */
export function packWinograd(weights: Int8Array, channels: number, depth: number, size: 2 | 4): Int16Array {
  const inChannels = weights.length / (9 * channels);
  const g = G[size];
  const positions = g.length ** 2;
  const starts = blockStarts(channels);
  const packed = new Int16Array(starts.length * positions * depth * BLOCK_CHANNELS);
  const rows = new Float64Array(3);
  eachLane(starts, channels, (b, lane, channel) => {
    for (let c = 0; c < inChannels; c++) {
      const at = (i: number, j: number): number => weights[((channel * 3 + i) * 3 + j) * inChannels + c];
      for (const [i, gi] of g.entries()) {
        for (let j = 0; j < 3; j++) rows[j] = gi[0] * at(0, j) + gi[1] * at(1, j) + gi[2] * at(2, j);
        for (const [j, gj] of g.entries()) {
          const pair = (b * positions + i * g.length + j) * (depth / 2);
          packed[pairIndex(pair, c, BLOCK_CHANNELS, lane)] = gj[0] * rows[0] + gj[1] * rows[1] + gj[2] * rows[2];
        }
      }
    }
  });
  return packed;
}
