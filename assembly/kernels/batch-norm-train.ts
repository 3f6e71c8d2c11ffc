import { combineRows, repeatRows } from "../core/row-sums";

/**
 * Batch normalization as in training: by the moments of the batch itself.
 *
 *     mean = sum(x) / rows,   variance = sum((x - mean)^2) / rows       per channel, biased
 *     k    = fl(gamma * fl(1 / fl(sqrt(fl(variance + epsilon)))))
 *     y    = fl(fl(fl(x - mean) * k) + beta)
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   x               f32[rows, channels]   read, rows > 0
 *   gamma, beta     f32[channels]         read
 *   y               f32[rows, channels]   written, may be x
 *   mean, variance  f32[channels]         written
 *   scratch         f32[4, 4 * channels]  written, 16-byte aligned: partial sums, then mean, k and beta over four rows
 *
 * Rounding: after each operation; sums as in core/row-sums.
 * Errors: none here; the debug build asserts.
 * Source: Ioffe & Szegedy 2015, algorithm 1.
 */
export function batchNormTrainF32(
  x: usize,
  gamma: usize,
  beta: usize,
  y: usize,
  mean: usize,
  variance: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
  scratch: usize,
): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  const means = scratch + table;
  const factors = means + table;
  const betas = factors + table;
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

  for (let c = 0; c < channels << 2; c += 4) {
    const sigma = sqrt<f32>(load<f32>(variance + c) + epsilon);
    store<f32>(scratch + c, load<f32>(gamma + c) * (<f32>1 / sigma));
  }
  repeatRows(scratch, factors, channels);
  repeatRows(beta, betas, channels);
  normalize(x, y, means, factors, betas, n, table);
}

function divide(values: usize, n: i32, by: f32): void {
  for (const end = values + (n << 2); values < end; values += 4) store<f32>(values, load<f32>(values) / by);
}

/** sums[i mod table] += x[i] for n floats. */
function addRows(x: usize, sums: usize, n: i32, table: i32): void {
  let p = 0; // byte offset in the table
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    v128.store(sums + p, f32x4.add(v128.load(sums + p), v128.load(x)));
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    store<f32>(sums + p, load<f32>(sums + p) + load<f32>(x));
    x += 4;
    p += 4;
  }
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

function normalize(x: usize, y: usize, means: usize, factors: usize, betas: usize, n: i32, table: i32): void {
  let p = 0;
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    const d = f32x4.sub(v128.load(x), v128.load(means + p));
    v128.store(y, f32x4.add(f32x4.mul(d, v128.load(factors + p)), v128.load(betas + p)));
    y += 16;
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    store<f32>(y, (load<f32>(x) - load<f32>(means + p)) * load<f32>(factors + p) + load<f32>(betas + p));
    x += 4;
    y += 4;
    p += 4;
  }
}
