const BLOCKS = "▁▂▃▄▅▆▇█";

/** Counts as a row of blocks, one character each: a space for none, the full block for the largest. */
export function histogram(counts: readonly number[]): string {
  const largest = Math.max(...counts, 1);
  return counts.map((count) => (count === 0 ? " " : BLOCKS[Math.ceil((count / largest) * BLOCKS.length) - 1])).join("");
}
