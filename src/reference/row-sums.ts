import { fl } from "./rounding.js";

/**
 * Sum of float32 terms over rows, per channel, in the order all float sums have.
 *
 * Four partial sums, of the rows with the same number mod 4, each rounded to float32 after every addition; combined as
 * (0 + 1) + (2 + 3). `term` gives the float32 of one row and channel.
 */
export function rowSum(rows: number, term: (row: number) => number): number {
  const partial = new Float32Array(4);
  for (let row = 0; row < rows; row++) partial[row % 4] += term(row);
  return fl(fl(partial[0] + partial[1]) + fl(partial[2] + partial[3]));
}
