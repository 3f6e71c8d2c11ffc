import { addRows, combineRows } from "../core/row-sums";

/**
 * Gradient of a bias: the sum over rows.
 *
 *     dbias = sum(dy)                                                   per channel
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy       f32[rows, channels]   read, rows > 0
 *   dbias    f32[channels]         written
 *   scratch  f32[4 * channels]     written, 16-byte aligned: partial sums
 *
 * Rounding: after each addition; sums as in core/row-sums.
 * Errors: none here; the debug build asserts.
 */
export function biasGradientF32(dy: usize, dbias: usize, rows: i32, channels: i32, scratch: usize): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  memory.fill(scratch, 0, table);
  addRows(dy, scratch, rows * channels, table);
  combineRows(scratch, dbias, channels);
}
