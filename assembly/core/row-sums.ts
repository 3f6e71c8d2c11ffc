// Per-channel sums over rows, in the order that src/reference/batch-norm-train.ts defines: four partial sums of the rows
// with the same number mod 4, combined (0+1)+(2+3).
//
// Four rows of C channels are 4C floats in a line, and element i of the flat array belongs to partial sum i mod 4C. So a
// table of 4C floats takes whole vectors whatever C is, and per-channel constants are repeated over such a table, too:
//
//   | row 0 mod 4: C floats | row 1 mod 4 | row 2 mod 4 | row 3 mod 4 |

/** Combines the partial sums of a table of 4C floats; writes C floats to out, which may be the table itself. */
export function combineRows(table: usize, out: usize, channels: i32): void {
  const row = channels << 2;
  for (let c = 0; c < row; c += 4) {
    const p = table + c;
    const low = load<f32>(p) + load<f32>(p + row);
    const high = load<f32>(p + 2 * row) + load<f32>(p + 3 * row);
    store<f32>(out + c, low + high);
  }
}

/** Repeats C floats over a table of 4C. */
export function repeatRows(values: usize, table: usize, channels: i32): void {
  const row = channels << 2;
  for (let i = 0; i < 4; ++i) memory.copy(table + i * row, values, row);
}
