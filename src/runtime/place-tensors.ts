/** Bytes that are needed from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Where blocks lie, and how much memory they take together. */
export interface Placement {
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

const ALIGNMENT = 16;

/**
 * Gives blocks places that they share with none that is needed at the same time.
 *
 * Greedy: the largest block first, each at the lowest offset where it fits among those placed. The sum of the blocks alive at one
 * step (mostLive) is a lower bound for any placement.
 */
export function placeTensors(lifetimes: readonly Lifetime[]): Placement {
  const placed: (Lifetime & { readonly at: number; readonly end: number })[] = [];
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const block of [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const size = Math.ceil(block.bytes / ALIGNMENT) * ALIGNMENT;
    const beside = placed.filter((other) => overlap(block, other)).sort((a, b) => a.at - b.at);
    let at = 0;
    for (const other of beside) {
      if (at + size <= other.at) break;
      at = Math.max(at, other.end);
    }
    placed.push({ ...block, at, end: at + size });
    offsets.set(block.name, at);
    bytes = Math.max(bytes, at + size);
  }
  return { offsets, bytes };
}

/** Whether two blocks are needed at one time. */
export function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The most bytes that are alive at one step: what the best placement takes. */
export function mostLive(lifetimes: readonly Lifetime[]): number {
  const live = lifetimes.map(({ first }) =>
    lifetimes.filter((other) => other.first <= first && first <= other.last).reduce((sum, { bytes }) => sum + bytes, 0),
  );
  return Math.max(0, ...live);
}
