import { combineRows, repeatRows } from "../core/row-sums";

/**
 * Gradient of batch normalization as in training, through the moments of the batch.
 *
 *     r      = fl(1 / fl(sqrt(fl(variance + epsilon))))                    per channel
 *     dbeta  = sum(dy),   dgamma = fl(sum(fl(dy * fl(x - mean))) * r)
 *     dx     = fl(fl(gamma * r) * fl(fl(dy - fl(dbeta / rows)) - fl(fl(x - mean) * fl(fl(dgamma * r) / rows))))
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy, x                  f32[rows, channels]   read, rows > 0
 *   gamma, mean, variance  f32[channels]         read; mean and variance as batchNormTrainF32 gave them
 *   dx                     f32[rows, channels]   written, may be dy or x
 *   dgamma, dbeta          f32[channels]         written
 *   scratch                f32[4, 4 * channels]  written, 16-byte aligned: mean over four rows, then two tables of partial
 *                                                sums; later the three factors of dx over four rows
 *
 * Rounding: after each operation; sums as in core/row-sums.
 * Errors: none here; the debug build asserts.
 * Source: Ioffe & Szegedy 2015, section 3.
 */
export function batchNormTrainGradientF32(
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  variance: usize,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
  scratch: usize,
): void {
  assert(rows > 0 && channels > 0);
  const table = channels << 4; // bytes
  const means = scratch;
  const factors = means + table;
  const shifts = factors + table;
  const slopes = shifts + table;
  const n = rows * channels;

  repeatRows(mean, means, channels);
  memory.fill(shifts, 0, 2 * table);
  addProducts(dy, x, means, shifts, slopes, n, table);
  combineRows(shifts, dbeta, channels);
  combineRows(slopes, dgamma, channels);

  const count = <f32>rows;
  for (let c = 0; c < channels << 2; c += 4) {
    const r = <f32>1 / sqrt<f32>(load<f32>(variance + c) + epsilon);
    const slope = load<f32>(dgamma + c) * r;
    store<f32>(dgamma + c, slope);
    store<f32>(factors + c, load<f32>(gamma + c) * r);
    store<f32>(shifts + c, load<f32>(dbeta + c) / count);
    store<f32>(slopes + c, (slope * r) / count);
  }
  // Row 0 of each table is there already.
  for (let i = channels << 2; i < table; i += channels << 2) {
    memory.copy(factors + i, factors, channels << 2);
    memory.copy(shifts + i, shifts, channels << 2);
    memory.copy(slopes + i, slopes, channels << 2);
  }
  inputGradient(dy, x, dx, scratch, n, table);
}

/** sums[i mod table] += dy[i], products[i mod table] += dy[i] * (x[i] - means[i mod table]) for n floats. */
function addProducts(dy: usize, x: usize, means: usize, sums: usize, products: usize, n: i32, table: i32): void {
  let p = 0; // byte offset in the tables
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    const g = v128.load(dy);
    const d = f32x4.sub(v128.load(x), v128.load(means + p));
    v128.store(sums + p, f32x4.add(v128.load(sums + p), g));
    v128.store(products + p, f32x4.add(v128.load(products + p), f32x4.mul(g, d)));
    dy += 16;
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    const g = load<f32>(dy);
    store<f32>(sums + p, load<f32>(sums + p) + g);
    store<f32>(products + p, load<f32>(products + p) + g * (load<f32>(x) - load<f32>(means + p)));
    dy += 4;
    x += 4;
    p += 4;
  }
}

/** dx = factors * ((dy - shifts) - (x - means) * slopes); the four tables lie one after the other. */
function inputGradient(dy: usize, x: usize, dx: usize, tables: usize, n: i32, table: i32): void {
  const factors = tables + table;
  const shifts = factors + table;
  const slopes = shifts + table;
  let p = 0;
  for (const end = x + ((n & ~3) << 2); x < end; x += 16) {
    const centred = f32x4.sub(v128.load(dy), v128.load(shifts + p));
    const d = f32x4.sub(v128.load(x), v128.load(tables + p));
    const rest = f32x4.sub(centred, f32x4.mul(d, v128.load(slopes + p)));
    v128.store(dx, f32x4.mul(v128.load(factors + p), rest));
    dy += 16;
    dx += 16;
    p += 16;
    p = p == table ? 0 : p;
  }
  for (let rest = n & 3; rest > 0; --rest) {
    const centred = load<f32>(dy) - load<f32>(shifts + p);
    const d = load<f32>(x) - load<f32>(tables + p);
    store<f32>(dx, load<f32>(factors + p) * (centred - d * load<f32>(slopes + p)));
    dy += 4;
    x += 4;
    dx += 4;
    p += 4;
  }
}
