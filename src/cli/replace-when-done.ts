import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { QuantError } from "../core/errors.js";

// An output is either whole or not there. It is written beside its place, under a name that says what it is, flushed to the
// disk, and renamed. An error or a signal removes what was written; only a process that is killed outright, or a crash of
// the machine, can leave a file or folder "….partial" behind, and never under the output's own name.

/** What an output is. */
export type OutputKind = "file" | "folder";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Checks that an output may be put at `path`: nothing is there, or, with `force`, what is there is of the same kind; a folder
 * is replaced only when it holds a tfjs model and nothing else.
 *
 * Errors: QuantError `invalid-file`.
 */
export function checkReplaceable(path: string, kind: OutputKind, force: boolean): void {
  const parent = dirname(path);
  if (!statSync(parent, { throwIfNoEntry: false })) throw outputError(`expected a folder "${parent}", got none`);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  const thereKind = there.isDirectory() ? "folder" : "file";
  if (thereKind !== kind) throw outputError(`expected a ${kind} to write at "${path}", got a ${thereKind}`);
  if (!force) {
    throw outputError(`expected nothing at "${path}" yet, got a ${thereKind}; pass --force to replace it`);
  }
  if (kind === "file") return;
  const stranger = readdirSync(path).find((name) => name !== "model.json" && !name.endsWith(".bin"));
  if (stranger !== undefined) {
    throw outputError(
      `expected only a tfjs model to replace at "${path}", got "${stranger}"; remove it, or choose another output`,
    );
  }
}

/**
 * Lets `write` fill an empty file, or an empty folder with files, beside `path`, then puts it at `path`.
 *
 * Errors: as checkReplaceable; whatever `write` throws, after what it wrote is removed.
 */
export async function replaceWhenDone<T>(
  path: string,
  kind: OutputKind,
  force: boolean,
  write: (partial: string) => Promise<T>,
): Promise<T> {
  checkReplaceable(path, kind, force);
  // "." and "out/" have no name to put something behind.
  const target = resolve(path);
  const partial = `${target}.${randomBytes(4).toString("hex")}.partial`;
  const remove = (): void => rmSync(partial, { recursive: true, force: true, maxRetries: 3 });
  const stop = (signal: NodeJS.Signals): void => {
    remove();
    listen(false);
    // The default action, so that the caller sees which signal it was.
    process.kill(process.pid, signal);
  };
  const listen = (on: boolean): void => {
    for (const signal of SIGNALS) process[on ? "on" : "off"](signal, stop);
  };
  listen(true);
  try {
    // Not asynchronous: no signal may come between the creation and the knowledge of it.
    if (kind === "folder") mkdirSync(partial);
    else writeFileSync(partial, "", { flag: "wx" });
    const result = await write(partial);
    await flush(partial, kind);
    checkReplaceable(path, kind, force);
    putInPlace(partial, target);
    await flushFolder(dirname(target));
    return result;
  } catch (error) {
    remove();
    throw error;
  } finally {
    listen(false);
  }
}

/** Not asynchronous either: no signal may come between the two renames of a folder, which cannot be replaced by one. */
function putInPlace(partial: string, target: string): void {
  if (!lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
    renameSync(partial, target);
    return;
  }
  const old = `${partial}.old`;
  renameSync(target, old);
  try {
    renameSync(partial, target);
  } catch (error) {
    renameSync(old, target);
    throw error;
  }
  rmSync(old, { recursive: true });
}

async function flush(partial: string, kind: OutputKind): Promise<void> {
  const files = kind === "file" ? [partial] : (await readdir(partial)).map((name) => join(partial, name));
  for (const file of files) {
    const handle = await open(file, "r+");
    await handle.sync().finally(() => handle.close());
  }
  if (kind === "folder") await flushFolder(partial);
}

/** Writes the names in a folder to the disk, where the system can: Windows opens no folders. */
async function flushFolder(path: string): Promise<void> {
  const handle = await open(path).catch(() => undefined);
  await handle
    ?.sync()
    .catch(() => undefined)
    .finally(() => handle.close());
}

function outputError(message: string): QuantError {
  return new QuantError("invalid-file", message);
}
