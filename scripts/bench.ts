// Measures the kernels against their peers and prints one Markdown table: npm run bench [-- quantize min-max …] [-- --node PATH]
// Each file of bench/ that measures a kernel runs in a process of its own, under this Node.js or the one given by --node.
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
];

const { values, positionals } = parseArgs({
  options: { node: { type: "string", default: process.execPath } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !KERNELS.includes(name));
if (unknown.length > 0) {
  console.error(`bench: expected names among ${KERNELS.join(", ")}, got ${unknown.join(", ")}`);
  process.exit(2);
}
if (!existsSync("bench/node_modules")) run("npm", ["ci", "--prefix", "bench", "--no-audit", "--no-fund"], "inherit");
if (await isDistStale()) run(process.execPath, ["--import", "tsx", "scripts/build.ts"], "inherit");

const version = run(values.node, ["--version"], "pipe").trim();
const rows: Row[] = [];
for (const kernel of KERNELS.filter((name) => positionals.length === 0 || positionals.includes(name))) {
  console.error(`measuring ${kernel} …`);
  const output = run(values.node, ["--import", "tsx", "bench/measure.ts", kernel], "pipe");
  rows.push(...(JSON.parse(output.trim().split("\n").at(-1) as string) as Row[]));
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
