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

/** Bytes of a block as it is placed. */
function placedBytes({ bytes }: Lifetime): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Orders in which blocks are placed: large ones first suits most networks, and time's order those where little lives long. */
const ORDERS: readonly ((a: Lifetime, b: Lifetime) => number)[] = [
  (a, b) => b.bytes - a.bytes || a.first - b.first,
  (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
  (a, b) => a.first - b.first || b.last - a.last,
  (a, b) => b.last - a.last || a.first - b.first,
];

/**
 * Gives blocks places that they share with none that is needed at the same time.
 *
 * Greedy: one block after the other, each at the lowest offset where it fits among those placed; in several orders, of which the
 * best is kept. mostLive is a lower bound of any placement; all real networks tried reach it.
 */
export function placeTensors(lifetimes: readonly Lifetime[]): Placement {
  const least = mostLive(lifetimes);
  let best = placeInOrder([...lifetimes].sort(ORDERS[0]));
  for (const order of ORDERS.slice(1)) {
    if (best.bytes === least) break;
    const other = placeInOrder([...lifetimes].sort(order));
    if (other.bytes < best.bytes) best = other;
  }
  return best;
}

function placeInOrder(blocks: readonly Lifetime[]): Placement {
  const placed: (Lifetime & { readonly at: number; readonly end: number })[] = [];
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const block of blocks) {
    const size = placedBytes(block);
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

/** The most bytes that are alive at one step, in whole blocks of 16: no placement takes less. */
export function mostLive(lifetimes: readonly Lifetime[]): number {
  const live = lifetimes.map(({ first }) =>
    lifetimes
      .filter((other) => other.first <= first && first <= other.last)
      .reduce((sum, block) => sum + placedBytes(block), 0),
  );
  return Math.max(0, ...live);
}
