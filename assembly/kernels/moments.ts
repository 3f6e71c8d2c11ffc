import { addRows, combineRows, repeatRows } from "../core/row-sums";

/**
 * Mean and variance of each channel.
 *
 *     mean = sum(x) / rows,   variance = sum((x - mean)^2) / rows       per channel, biased
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   x               f32[rows, channels]   read, rows > 0
 *   mean, variance  f32[channels]         written
 *   scratch         f32[2, 4 * channels]  written, 16-byte aligned: partial sums, then mean over four rows, which is left there
 *
 * Rounding: after each operation; sums as in core/row-sums.
 * Errors: none here; the debug build asserts.
 */
export function momentsF32(x: usize, mean: usize, variance: usize, rows: i32, channels: i32, scratch: usize): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  const means = scratch + table;
  const n = rows * channels;

  memory.fill(scratch, 0, table);
  addRows(x, scratch, n, table);
  combineRows(scratch, mean, channels);
  divide(mean, channels, <f32>rows);
  repeatRows(mean, means, channels);

  memory.fill(scratch, 0, table);
  addSquares(x, means, scratch, n, table);
  combineRows(scratch, variance, channels);
  divide(variance, channels, <f32>rows);
}

function divide(values: usize, n: i32, by: f32): void {
  for (const end = values + (n << 2); values < end; values += 4) store<f32>(values, load<f32>(values) / by);
}

/** sums[i mod table] += (x[i] - means[i mod table])^2 for n floats. */
function addSquares(x: usize, means: usize, sums: usize, n: i32, table: i32): void {
  let p = 0;
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    const d = f32x4.sub(v128.load(x), v128.load(means + p));
    v128.store(sums + p, f32x4.add(v128.load(sums + p), f32x4.mul(d, d)));
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    const d = load<f32>(x) - load<f32>(means + p);
    store<f32>(sums + p, load<f32>(sums + p) + d * d);
    x += 4;
    p += 4;
  }
}
