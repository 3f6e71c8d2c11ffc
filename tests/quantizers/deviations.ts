import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The cases of a golden vector file. */
export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** A named way in which this project differs from NNI on purpose, and how to recognise a case of it. */
export type Deviations<Case> = Readonly<Record<string, (one: Case) => boolean>>;

/**
 * Sorts the cases that differ from NNI into named deviations and asserts how many each has; a case that no predicate
 * knows, or that two know, fails.
 */
export function assertDeviations<Case>(
  differing: readonly Case[],
  deviations: Deviations<Case>,
  counts: Readonly<Record<string, number>>,
): void {
  const found: Record<string, number> = Object.fromEntries(Object.keys(deviations).map((name) => [name, 0]));
  for (const one of differing) {
    const names = Object.keys(deviations).filter((name) => deviations[name](one));
    assert.equal(names.length, 1, `expected one deviation, got ${JSON.stringify(names)} for ${JSON.stringify(one)}`);
    found[names[0]]++;
  }
  assert.deepEqual(found, counts);
}
