// Accuracy of low-bit networks on full test sets, and what training them costs.
//
//   npm run accuracy                       every width, MNIST and Fashion-MNIST, 3 seeds; MobileNetV2 after training
//   npm run accuracy -- --seeds 1 w4a8     chosen widths and number of seeds
//
//   npm run accuracy -- dorefa             trained in few bits from the start, W-A-G from 32-32-32 to 1-1-4: 3 epochs, 1 seed
//   npm run accuracy -- dorefa --full      10 epochs, 3 seeds
//   npm run accuracy -- dorefa mnist 1-2-4 --seeds 3   a set, widths (noise: where gradients' noise is drawn) and seeds
//   npm run accuracy -- dorefa --choose-rate           learning rates, judged on training images left out
//
// A row per run is printed as JSON when it is done, the tables at the end. DoReFa's rows are also kept in examples/out/dorefa.jsonl,
// and what is there already is not trained again.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type * as tf from "@tensorflow/tfjs";
import { fashionMnist, type ImageSet, mnist } from "../examples/data/idx.js";
import { modelFolder } from "../examples/data/models.js";
import { accuracy, loadModel, startTensorflow } from "../examples/evaluate.js";
import { AGREEMENT_CASES, mobilenetAgreement } from "../examples/mobilenet.js";
import { type Bits, trainQuantized } from "../examples/quantized-training.js";
import { type Plan, planRuns } from "./dorefa-accuracy/plan.js";
import { dorefaReport } from "./dorefa-accuracy/report.js";
import { clearProgress, showProgress } from "./progress-line.js";

const WIDTHS = ["w8a8", "w4a8", "w4a4", "w3a4", "w2a8"];
const EPOCHS = 2;
const IMAGES = 10_000;
const models = join(fileURLToPath(new URL("..", import.meta.url)), "examples/models");

interface Run {
  readonly set: string;
  readonly width: string;
  readonly seed: number;
  readonly float: number;
  readonly calibrated: number;
  readonly trained: number;
  readonly msPerImage: number;
}

const [report, ...options] = process.argv.slice(2);
if (report === "dorefa") {
  await dorefaReport(planned(options));
  process.exit();
}
const { values, positionals } = parseArgs({
  options: { seeds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const unknown = positionals.find((width) => !WIDTHS.includes(width) && width !== "mobilenet");
const seeds = Number(values.seeds);
if (unknown !== undefined || !(Number.isInteger(seeds) && seeds >= 1)) {
  const found = unknown ?? `--seeds ${values.seeds}`;
  console.error(`accuracy: expected ${WIDTHS.join(", ")} or mobilenet, and --seeds of at least 1, got ${found}`);
  process.exit(1);
}
const chosen = positionals.length === 0 ? [...WIDTHS, "mobilenet"] : positionals;

await startTensorflow();
const runs = [
  ...(await runsOf("mnist", mnist("train"), mnist("t10k"))),
  ...(await runsOf("fashion", fashionMnist("train"), fashionMnist("t10k"))),
];
if (runs.length > 0) printRuns(runs);
if (chosen.includes("mobilenet")) {
  const rows = await mobilenetAgreement(showProgress, AGREEMENT_CASES);
  clearProgress();
  console.table(rows.map((row) => ({ ...row, meanDifference: round(row.meanDifference, 4) })));
}

function planned(args: readonly string[]): Plan[] {
  try {
    return planRuns(args);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

async function runsOf(set: string, training: ImageSet | string, test: ImageSet | string): Promise<Run[]> {
  if (typeof training === "string" || typeof test === "string") {
    console.log(`${set}: skipped, ${training}`);
    return [];
  }
  const model = (await loadModel(modelFolder(join(models, `${set}-cnn`)))) as tf.LayersModel;
  const float = accuracy(model, test);
  const found: Run[] = [];
  for (const width of chosen.filter((name) => name !== "mobilenet")) {
    for (let seed = 1; seed <= seeds; seed++) {
      const result = await trainQuantized(model, training, test, {
        ...bitsOf(width),
        epochs: EPOCHS,
        images: IMAGES,
        seed,
        onProgress: (done) => showProgress(`${set} ${width}, seed ${seed}: ${Math.round(100 * done)} %`),
      });
      result.model.dispose();
      const { calibrated, trained, msPerImage } = result;
      const run = { set, width, seed, float, calibrated, trained, msPerImage: round(msPerImage, 2) };
      clearProgress();
      console.log(JSON.stringify(run));
      found.push(run);
    }
  }
  return found;
}

function bitsOf(width: string): Bits {
  const [, weightBits, activationBits] = /^w(\d+)a(\d+)$/.exec(width) as RegExpExecArray;
  return { weightBits: Number(weightBits), activationBits: Number(activationBits) };
}

/** Mean and spread over the seeds, a row per set and width. */
function printRuns(all: readonly Run[]): void {
  const rows = [...new Set(all.map(({ set, width }) => `${set} ${width}`))].map((name) => {
    const group = all.filter(({ set, width }) => name === `${set} ${width}`);
    const trained = group.map((run) => 100 * run.trained);
    const mean = trained.reduce((sum, one) => sum + one, 0) / trained.length;
    return {
      "": name,
      float: round(100 * group[0].float, 2),
      calibrated: round(100 * group[0].calibrated, 2),
      trained: round(mean, 2),
      lowest: round(Math.min(...trained), 2),
      highest: round(Math.max(...trained), 2),
      "ms/image": round(Math.min(...group.map(({ msPerImage }) => msPerImage)), 2),
    };
  });
  console.table(rows);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
