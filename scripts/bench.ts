// Measures the kernels against their peers and prints one Markdown table: npm run bench [-- quantize min-max …] [-- --node PATH] [-- --no-liftoff]
// Each file of bench/ that measures a kernel runs in a process of its own, under this Node.js or the one given by --node. --no-liftoff:
// all WebAssembly comes from V8's optimizing compiler, which peers of many functions otherwise reach late.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Row } from "../bench/comparison.js";
import { markdownTable } from "../bench/table.js";
import { isDistStale } from "./stale-dist.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const KERNELS = [
  "quantize",
  "dequantize",
  "fake-quantize",
  "fake-quantize-gradient",
  "tfjs-fake-quantize",
  "tfjs-training",
  "min-max",
  "observe-fake-quantize",
  "dorefa-weights",
  "dorefa-weights-gradient",
  "dorefa-activations",
  "dorefa-gradients",
  "dorefa-training",
  "fold-batch-norm",
  "pack-bits",
  "onnxruntime",
  "memory-bandwidth",
  "border",
  "runtime",
  "runtime-layers",
];

const { values, positionals } = parseArgs({
  options: { node: { type: "string", default: process.execPath }, liftoff: { type: "boolean", default: true } },
  allowNegative: true,
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !KERNELS.includes(name));
if (unknown.length > 0) {
  console.error(`bench: expected names among ${KERNELS.join(", ")}, got ${unknown.join(", ")}`);
  process.exit(2);
}
if (!existsSync("bench/node_modules")) {
  // tfjs-tflite names an older tfjs as its peer; its wasm module alone is used here.
  const options = ["--prefix", "bench", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"];
  run("npm", ["ci", ...options], "inherit");
}
if (await isDistStale()) run(process.execPath, ["--import", "tsx", "scripts/build.ts"], "inherit");

const version = run(values.node, ["--version"], "pipe").trim();
const rows: Row[] = [];
for (const kernel of KERNELS.filter((name) => positionals.length === 0 || positionals.includes(name))) {
  console.error(`measuring ${kernel} …`);
  const flags = values.liftoff ? [] : ["--no-liftoff"];
  const output = run(values.node, [...flags, "--import", "tsx", "bench/measure.ts", kernel], "pipe");
  const lines = output.trim().split("\n");
  rows.push(...(JSON.parse(lines.pop() as string) as Row[]));
  if (lines.length > 0) console.log(lines.join("\n"));
}
console.log(`\nNode.js ${version}, ${process.platform} ${process.arch}\n\n${markdownTable(rows)}`);

/** Runs a program to its end and returns what it printed; stops the run where it fails. */
function run(program: string, args: string[], stdout: "pipe" | "inherit"): string {
  const result = spawnSync(program, args, { stdio: ["ignore", stdout, "inherit"], encoding: "utf8" });
  if (result.status !== 0) {
    console.error(
      `bench: expected ${program} ${args.join(" ")} to succeed, got ${result.error ?? `exit ${result.status}`}`,
    );
    process.exit(1);
  }
  return result.stdout ?? "";
}
