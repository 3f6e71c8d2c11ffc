import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command line. */
export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
/** A tfjs model of 22 000 parameters. */
export const MNIST = fileURLToPath(new URL("../../examples/models/mnist-cnn", import.meta.url));

/** What a run left. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bitpress` in a process of its own. */
export function bitpress(cwd: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** A fresh temporary folder, removed after `use`. */
export async function inFolder(use: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bitpress-cli-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every path below a folder, sorted. */
export function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

/** Lines with each run of spaces as one, so that a table's widths are not part of the test. */
export function words(text: string): string[] {
  return text.split("\n").map((line) => line.trim().replace(/ +/g, " "));
}
