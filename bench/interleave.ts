import { setTimeout } from "node:timers/promises";

/** One way of doing the work that is measured. */
export type Variant = () => unknown;

/** Nanoseconds per call of each variant, one entry per round. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** How long and how often to measure. */
export interface InterleaveOptions {
  /** At least 15, so that a median over them means something on a busy machine. */
  readonly rounds?: number;
  /** How long each variant runs in each round. */
  readonly roundMs?: number;
}

const WARM_UP_MS = 150;
const WARM_UP_CALLS = 3;
const PAUSE_MS = 300;

/**
 * Measures variants in turns, A B C A B C …, so that whatever slows the machine down slows all of them down.
 *
 * Only ratios within a round mean something on a shared machine: see `ratio`. Each variant is first called at least three
 * times and for 0.3 s, until the engine's optimizing compiler has been there. A promise is awaited.
 */
export async function interleave<Name extends string>(
  variants: Readonly<Record<Name, Variant>>,
  { rounds = 31, roundMs = 4 }: InterleaveOptions = {},
): Promise<Rounds<Name>> {
  const names = Object.keys(variants) as Name[];
  const calls = {} as Record<Name, number>;
  const times = {} as Record<Name, number[]>;
  for (const name of names) {
    await repeat(variants[name], WARM_UP_CALLS);
    await repeatFor(variants[name], WARM_UP_MS);
  }
  // The optimizing compiler works beside this thread; on a busy machine it needs its turn.
  await setTimeout(PAUSE_MS);
  for (const name of names) {
    const { elapsed, count } = await repeatFor(variants[name], WARM_UP_MS);
    calls[name] = Math.max(1, Math.round((roundMs * 1e6 * count) / elapsed));
    times[name] = [];
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) times[name].push((await repeat(variants[name], calls[name])) / calls[name]);
  }
  return times;
}

/** The median over the rounds of how many times faster `fast` was than `slow`. */
export function ratio<Name extends string>(times: Rounds<Name>, fast: Name, slow: Name): number {
  return median(times[fast].map((time, round) => times[slow][round] / time));
}

/** The middle value; the mean of the middle two of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function repeat(variant: Variant, count: number): Promise<number> {
  const start = cpuNanoseconds();
  for (let i = 0; i < count; i++) {
    const result = variant();
    if (result instanceof Promise) await result;
  }
  return cpuNanoseconds() - start;
}

async function repeatFor(variant: Variant, ms: number): Promise<{ elapsed: number; count: number }> {
  let elapsed = 0;
  let count = 0;
  while (elapsed < ms * 1e6) {
    elapsed += await repeat(variant, 1);
    count++;
  }
  return { elapsed, count };
}

/** Time the process has computed. Unlike the clock on the wall it stands still while the machine runs something else. */
function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage();
  return 1e3 * (user + system);
}
