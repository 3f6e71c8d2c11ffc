// What `npm test` runs: the kernels' own tests (as-pect), then every tests/**/*.test.ts with node:test.
// `npm test -- pattern…` keeps the files whose path contains one of the patterns.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { pipeline } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { withoutPassedDetails } from "./compact-report.js";
import { filesIn, isDistStale } from "./stale-dist.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const patterns = process.argv.slice(2);
const wanted = (path: string): boolean => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern));

if (await isDistStale()) {
  console.log("dist is missing or older than its sources: building");
  runScript("scripts/build.ts");
}
if (existsSync("scripts/test-assembly.ts") && (await filesIn("tests/assembly")).some(wanted)) {
  runScript("scripts/test-assembly.ts");
}
await runNodeTests((await filesIn("tests")).filter((path) => path.endsWith(".test.ts") && wanted(path)));

/** Runs a script in a process of its own; a failure fails this run, and the rest still runs. */
function runScript(path: string): void {
  const { status } = spawnSync(process.execPath, ["--import", "tsx", path], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}

async function runNodeTests(files: string[]): Promise<void> {
  if (files.length === 0) {
    console.error(`npm test: expected test files that match ${patterns.join(", ")}, got none`);
    process.exitCode = 1;
    return;
  }
  const events = run({ files, concurrency: availableParallelism() });
  events.on("test:fail", ({ todo }) => {
    if (todo === undefined) process.exitCode = 1;
  });
  await pipeline(events, withoutPassedDetails, new spec(), process.stdout, { end: false });
}
