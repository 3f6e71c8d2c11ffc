import {
  blocks,
  columns,
  inRowBytes,
  rows,
  run,
  scratch,
  taps,
  xPixelBytes,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { requantize } from "./requantize";
import { sumWindow } from "./sum-window";

/**
 * Mean over windows: their sum, requantized with a multiplier that holds 1/n.
 *
 *     y[r, q, c] = requantize(bias + Σ x over the window),   c < run
 *
 *   taps     as in maxPool
 *   block    its bias, eight times alike, is -n times the zero point of the input
 *   scratch  offset  u32[1], in 16 bytes
 *            sums    i32[8]
 *
 * Reads up to 7 bytes behind a pixel of fewer than eight channels.
 */
export function meanCodes(layer: usize, x: usize, y: usize): void {
  const block = blocks(layer);
  const channels = run(layer);
  const last = max(channels - 8, 0);
  const offset = scratch(layer);
  const sums = offset + 16;
  store<u32>(offset, 0);
  let row = taps(layer);
  const rowsEnd = row + ((<usize>rows(layer)) << 3);
  const columnsEnd = rowsEnd + ((<usize>columns(layer)) << 3);
  do {
    let column = rowsEnd;
    let to = y;
    const lines = load<i32>(row, 4);
    do {
      const window = x + load<u32>(row) + load<u32>(column);
      const pixels = load<i32>(column, 4);
      let c = 0;
      do {
        // The last eight share some with those before them.
        const at = min(c, last);
        sumWindow(window + at, lines, pixels, inRowBytes(layer), xPixelBytes(layer), block, sums);
        requantize(layer, block, to + at, offset, sums, 1);
        c += 8;
      } while (c < channels);
      to += yPixelBytes(layer);
      column += 8;
    } while (column < columnsEnd);
    y += yRowBytes(layer);
    row += 8;
  } while (row < rowsEnd);
}
