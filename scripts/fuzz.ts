// `npm run fuzz`: damaged .tflite files, in numbers that a test run has no time for. Each must be refused with an error of the
// library, or load as a graph (every eighth is written, too); anything else, and a read that takes long, is printed with its
// seed.
// Arguments: mutations (default 100,000), then .tflite files to damage besides the written ones.
import { readFileSync } from "node:fs";
import { sample } from "fast-check";
import { QuantError } from "../src/core/errors.js";
import { readTflite } from "../src/formats/tflite/read-tflite.js";
import { writeTflite } from "../src/formats/tflite/write-tflite.js";
import { integerSource, mutateBytes } from "../tests/formats/tflite/mutate-bytes.js";
import { randomQuantizedGraph } from "../tests/graph/random-quantized-graph.js";

const SLOW_MS = 1000;

const [count = "100000", ...paths] = process.argv.slice(2);
const mutations = Number(count);
const files = [
  ...sample(randomQuantizedGraph(), { numRuns: 200, seed: 1 }).map((graph) => writeTflite(graph)),
  ...paths.map((path) => new Uint8Array(readFileSync(path))),
];
const outcomes = new Map<string, number>();
let faults = 0;
let slowest = 0;
const begin = performance.now();
for (let seed = 1; seed <= mutations; seed++) {
  const choose = integerSource(Math.imul(seed, 0x9e3779b1));
  // Half of the mutations go to the files that were given.
  const given = paths.length > 0 && choose(2) === 0;
  const index = given ? files.length - 1 - choose(paths.length) : choose(files.length);
  const bytes = mutateBytes(files[index], choose);
  // Time of this process, so that a busy machine is no fault.
  const start = process.cpuUsage();
  const outcome = outcomeOf(bytes, seed % 8 === 0);
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  slowest = Math.max(slowest, took);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (outcome !== "loaded" && outcome !== "invalid-file" && outcome !== "unsupported") {
    faults++;
    console.error(`mutation ${seed} of file ${index}: ${outcome}`);
  }
  if (took > SLOW_MS) {
    faults++;
    console.error(`mutation ${seed} of file ${index}: ${took.toFixed(0)} ms`);
  }
}
const seconds = (performance.now() - begin) / 1000;
console.log(
  `${mutations} mutations of ${files.length} files in ${seconds.toFixed(1)} s, slowest ${slowest.toFixed(1)} ms`,
);
for (const [outcome, times] of outcomes) console.log(`  ${outcome}: ${times}`);
if (faults > 0) process.exitCode = 1;

function outcomeOf(bytes: Uint8Array, write: boolean): string {
  try {
    const graph = readTflite(bytes);
    if (write) writeTflite(graph);
    return "loaded";
  } catch (error) {
    return error instanceof QuantError ? error.code : String(error);
  }
}
