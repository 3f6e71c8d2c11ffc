import { columns, rows, yRowBytes, zeroPoint } from "../core/layer-words";

/** Fills `rows` pieces of `columns` bytes, yRowBytes apart, with the zero point: the borders of a tensor. */
export function fillRows(layer: usize, y: usize): void {
  const bytes = columns(layer);
  const value = <u8>zeroPoint(layer);
  let left = rows(layer);
  do {
    memory.fill(y, value, bytes);
    y += yRowBytes(layer);
  } while (--left > 0);
}
