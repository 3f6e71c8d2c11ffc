/** Choices sorted by how few letters must be inserted, deleted or replaced to get `text`; equals keep their order. */
export function nearestFirst(text: string, choices: readonly string[]): string[] {
  const distances = new Map(choices.map((choice) => [choice, editDistance(text, choice)]));
  return [...choices].sort((a, b) => (distances.get(a) ?? 0) - (distances.get(b) ?? 0));
}

/** Levenshtein distance, row by row of its table. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, above[j] + 1, row[j - 1] + 1));
    }
    above = row;
  }
  return above[b.length];
}
