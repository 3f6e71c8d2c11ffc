import { combineRows, repeatRows } from "../core/row-sums";

/**
 * Gradient of a factor and an offset for each channel.
 *
 *     dx = fl(dy * scale),   dscale = sum(fl(dy * x)),   dshift = sum(dy)
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy, x           f32[rows, channels]   read, rows > 0
 *   scale           f32[channels]         read
 *   dx              f32[rows, channels]   written, may be dy or x
 *   dscale, dshift  f32[channels]         written
 *   scratch         f32[3, 4 * channels]  written, 16-byte aligned: scale over four rows, then two tables of partial sums
 *
 * Rounding: after each operation; sums as in core/row-sums.
 * Errors: none here; the debug build asserts.
 */
export function channelAffineGradientF32(
  dy: usize,
  x: usize,
  scale: usize,
  dx: usize,
  dscale: usize,
  dshift: usize,
  rows: i32,
  channels: i32,
  scratch: usize,
): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  const products = scratch + table;
  const sums = products + table;
  const n = rows * channels;
  repeatRows(scale, scratch, channels);
  memory.fill(products, 0, 2 * table);
  let p = 0; // byte offset in the tables
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    const g = v128.load(dy);
    v128.store(products + p, f32x4.add(v128.load(products + p), f32x4.mul(g, v128.load(x))));
    v128.store(sums + p, f32x4.add(v128.load(sums + p), g));
    v128.store(dx, f32x4.mul(g, v128.load(scratch + p)));
    dy += 16;
    dx += 16;
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    const g = load<f32>(dy);
    store<f32>(products + p, load<f32>(products + p) + g * load<f32>(x));
    store<f32>(sums + p, load<f32>(sums + p) + g);
    store<f32>(dx, g * load<f32>(scratch + p));
    dy += 4;
    x += 4;
    dx += 4;
    p += 4;
  }
  combineRows(products, dscale, channels);
  combineRows(sums, dshift, channels);
}
