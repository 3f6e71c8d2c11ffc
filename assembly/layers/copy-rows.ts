import { columns, rows, xRowBytes, yRowBytes } from "../core/layer-words";

/** Copies `rows` rows of `columns` bytes, xRowBytes and yRowBytes apart: in and out of bordered tensors. */
export function copyRows(layer: usize, x: usize, y: usize): void {
  const bytes = columns(layer);
  let left = rows(layer);
  do {
    memory.copy(y, x, bytes);
    x += xRowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
