import {
  columns,
  inRowBytes,
  qmax,
  qmin,
  rows,
  run,
  taps,
  xPixelBytes,
  yPixelBytes,
  yRowBytes,
} from "../core/layer-words";
import { storeSixteen } from "../core/store-codes";

/**
 * Largest code under each window. What pads takes no part: windows are cut at the edges beforehand.
 *
 *     y[r, q, c] = clamp(max x[y, x, c] over the window, qmin, qmax),   c < run
 *
 *   taps  u32  [rows][2]     of each output row: where its windows begin, from x, and how many input rows they have
 *              [columns][2]  of each output column, likewise
 *
 * Pixels lie xPixelBytes apart, rows inRowBytes. Reads up to 15 bytes behind a pixel of fewer than sixteen channels.
 */
export function maxPool(layer: usize, x: usize, y: usize): void {
  const channels = run(layer);
  const count = min(channels, 16);
  const last = max(channels - 16, 0);
  const lo = i8x16.splat(<i8>qmin(layer));
  const hi = i8x16.splat(<i8>qmax(layer));
  const pixelBytes = xPixelBytes(layer);
  const lineBytes = inRowBytes(layer);
  let row = taps(layer);
  const rowsEnd = row + ((<usize>rows(layer)) << 3);
  const columnsEnd = rowsEnd + ((<usize>columns(layer)) << 3);
  do {
    let column = rowsEnd;
    let to = y;
    do {
      const window = x + load<u32>(row) + load<u32>(column);
      let c = 0;
      do {
        // The last sixteen share some with those before them.
        const at = min(c, last);
        let largest = lo;
        let line = window + at;
        let lines = load<i32>(row, 4);
        do {
          let pixel = line;
          let pixels = load<i32>(column, 4);
          do {
            largest = i8x16.max_s(largest, v128.load(pixel));
            pixel += pixelBytes;
          } while (--pixels > 0);
          line += lineBytes;
        } while (--lines > 0);
        storeSixteen(to + at, i8x16.min_s(largest, hi), count);
        c += 16;
      } while (c < channels);
      to += yPixelBytes(layer);
      column += 8;
    } while (column < columnsEnd);
    y += yRowBytes(layer);
    row += 8;
  } while (row < rowsEnd);
}
