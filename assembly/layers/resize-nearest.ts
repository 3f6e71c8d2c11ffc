import { copyRun } from "../core/copy-run";
import { columns, rows, run, taps, yPixelBytes, yRowBytes } from "../core/layer-words";

/**
 * Resize to the nearest pixel, codes untouched.
 *
 *   taps  u32  [rows]     of each output row: where its input row begins, from x
 *              [columns]  of each output column, likewise
 */
export function resizeNearest(layer: usize, x: usize, y: usize): void {
  const length = run(layer);
  let row = taps(layer);
  const rowsEnd = row + ((<usize>rows(layer)) << 2);
  const columnsEnd = rowsEnd + ((<usize>columns(layer)) << 2);
  do {
    let column = rowsEnd;
    let to = y;
    const from = x + load<u32>(row);
    do {
      copyRun(to, from + load<u32>(column), length);
      to += yPixelBytes(layer);
      column += 4;
    } while (column < columnsEnd);
    y += yRowBytes(layer);
    row += 4;
  } while (row < rowsEnd);
}
