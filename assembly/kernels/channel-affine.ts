import { repeatRows } from "../core/row-sums";

/**
 * A factor and an offset for each channel.
 *
 *     y = fl(fl(x * scale) + shift)
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   x             f32[rows, channels]   read, rows > 0
 *   scale, shift  f32[channels]         read
 *   y             f32[rows, channels]   written, may be x
 *   scratch       f32[2, 4 * channels]  written, 16-byte aligned: scale and shift over four rows
 *
 * Rounding: after each operation.
 * Errors: none here; the debug build asserts.
 */
export function channelAffineF32(
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  rows: i32,
  channels: i32,
  scratch: usize,
): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  const shifts = scratch + table;
  const n = rows * channels;
  repeatRows(scale, scratch, channels);
  repeatRows(shift, shifts, channels);
  let p = 0; // byte offset in the tables
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    v128.store(y, f32x4.add(f32x4.mul(v128.load(x), v128.load(scratch + p)), v128.load(shifts + p)));
    y += 16;
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    store<f32>(y, load<f32>(x) * load<f32>(scratch + p) + load<f32>(shifts + p));
    x += 4;
    y += 4;
    p += 4;
  }
}
