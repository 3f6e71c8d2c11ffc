// What `npm test` runs: the kernels' own tests (as-pect), then every tests/**/*.test.ts with node:test.
// `npm test -- pattern…` keeps the files whose path contains one of the patterns.
import { spawnSync } from "node:child_process";
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
  if (!runScript("scripts/build.ts")) process.exit(1);
}
const specs = (await filesIn("tests/assembly")).filter((path) => path.endsWith(".spec.ts") && wanted(path));
const tests = (await filesIn("tests")).filter((path) => path.endsWith(".test.ts") && wanted(path));
// The file that takes minutes begins first, so that no core waits for it at the end.
const isLong = (path: string): number => Number(path.endsWith("browsers.test.ts"));
tests.sort((a, b) => isLong(b) - isLong(a));
if (specs.length + tests.length === 0) {
  console.error(`npm test: expected test files that match ${patterns.join(", ")}, got none`);
  process.exit(1);
}
// as-pect compiles and runs in one go, so that one wanted spec runs them all.
const kernelsPassed = specs.length === 0 || runScript("scripts/test-assembly.ts");
if (tests.length > 0) await runNodeTests(tests);
if (!kernelsPassed) {
  console.error("npm test: the kernels' own tests (as-pect) failed, above");
  process.exitCode = 1;
}

/** Runs a script in a process of its own; returns whether it succeeded. */
function runScript(path: string): boolean {
  return spawnSync(process.execPath, ["--import", "tsx", path], { stdio: "inherit" }).status === 0;
}

async function runNodeTests(files: string[]): Promise<void> {
  const events = run({ files, concurrency: availableParallelism() });
  events.on("test:fail", ({ todo }) => {
    if (todo === undefined) process.exitCode = 1;
  });
  await pipeline(events, withoutPassedDetails, new spec(), process.stdout, { end: false });
}
