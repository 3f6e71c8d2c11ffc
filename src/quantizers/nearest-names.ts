/** How many choices an error prints. */
const SHOWN = 6;

/**
 * The choices of an error message, nearest to `word` first: `"conv1", "conv2", "fc1"`, and `… 40 more` after six.
 *
 * Near is the fewest insertions, deletions and replacements of one letter, case aside; ties keep their order.
 */
export function nearestNames(word: string, names: readonly string[]): string {
  const distances = new Map(names.map((name) => [name, editDistance(word.toLowerCase(), name.toLowerCase())]));
  const sorted = [...distances].sort((a, b) => a[1] - b[1]).map(([name]) => JSON.stringify(name));
  const more = sorted.length - SHOWN;
  return sorted.slice(0, SHOWN).join(", ") + (more > 0 ? `, … ${more} more` : "");
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
