// Compares the integer arithmetic with other runtimes of .tflite files, code by code: npm run peers
// PEER_INPUTS=10 makes the comparison on whole models shorter (300 inputs each otherwise).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDistStale } from "./stale-dist.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

if (!existsSync("tests/peers/node_modules")) {
  // tfjs-tflite names an older tfjs as its peer; its wasm module alone is used here.
  const options = ["--prefix", "tests/peers", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"];
  run("npm", ["ci", ...options]);
}
// The examples, which load models and images, use the package as it is built.
if (await isDistStale()) run(process.execPath, ["--import", "tsx", "scripts/build.ts"]);
const files = ["ties", "random-networks", "given-models", "own-models"].map((name) => `tests/peers/${name}.ts`);
run(process.execPath, ["--import", "tsx", "--test", "--test-reporter", "spec", ...files]);

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
