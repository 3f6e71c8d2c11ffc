import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Whether dist is missing or older than what it is built from. The working directory is the project's root. */
export async function isDistStale(): Promise<boolean> {
  if (!existsSync("dist/index.js")) return true;
  const built = (await stat("dist/index.js")).mtimeMs;
  const sources = ["package.json", "asconfig.json", "tsconfig.json", "tsconfig.types.json", "scripts/build.ts"];
  for (const path of [...sources, ...(await filesIn("src")), ...(await filesIn("assembly"))]) {
    if ((await stat(path)).mtimeMs > built) return true;
  }
  return false;
}

/** All files below a folder, sorted. */
export async function filesIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
