/** How many codes of a kind differ, and by how much at most. */
export interface Differences {
  codes: number;
  differ: number;
  largest: number;
}

/** Differences by a text that says what was compared. */
export class DifferenceTable {
  readonly rows = new Map<string, Differences>();

  add(key: string, own: ArrayLike<number>, judged: ArrayLike<number>): void {
    const row = this.rows.get(key) ?? { codes: 0, differ: 0, largest: 0 };
    for (let i = 0; i < own.length; i++) {
      const size = Math.abs(own[i] - judged[i]);
      row.codes++;
      if (size !== 0) row.differ++;
      row.largest = Math.max(row.largest, size);
    }
    this.rows.set(key, row);
  }

  /** `3 by 1` for every kind some of whose codes differ: how many, and by how much at most. */
  differing(): Record<string, string> {
    const rows = [...this.rows].filter(([, { differ }]) => differ > 0);
    return Object.fromEntries(rows.map(([key, { differ, largest }]) => [key, `${differ} by ${largest}`]));
  }

  toString(): string {
    const width = Math.max(...[...this.rows.keys()].map((key) => key.length));
    return [...this.rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { codes, differ, largest }]) => {
        const difference = differ === 0 ? "0" : `${differ} by ${largest} at most`;
        return `${key.padEnd(width)}  ${difference} of ${codes}`;
      })
      .join("\n");
  }
}
