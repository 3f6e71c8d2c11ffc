import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Plan } from "./plan.js";

/** A training that is done. */
export interface Run extends Plan {
  /** Share of the images judged that are right. */
  readonly accuracy: number;
  readonly msPerImage: number;
}

/** The runs in a file of JSON lines; none where there is no file. */
export function readRuns(file: string): Run[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Run);
}

/** Adds a run to the file, in one write: an interruption leaves whole lines. */
export function addRun(file: string, run: Run): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}

/** The run of a plan, if it is done. */
export function runOf(plan: Plan, done: readonly Run[]): Run | undefined {
  return done.find((run) => (Object.keys(plan) as (keyof Plan)[]).every((key) => run[key] === plan[key]));
}
