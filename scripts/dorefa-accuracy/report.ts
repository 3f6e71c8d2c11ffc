// Accuracy of networks trained in few bits: npm run accuracy -- dorefa (scripts/accuracy.ts says how).

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as tf from "@tensorflow/tfjs";
import { fashionMnist, firstImages, type ImageSet, lastImages, mnist } from "../../examples/data/idx.js";
import { trainDorefa } from "../../examples/dorefa-training.js";
import { startTensorflow } from "../../examples/evaluate.js";
import { lenet } from "../../examples/lenet.js";
import { clearProgress, showProgress } from "../progress-line.js";
import { bitsOf, HELD_OUT, type Plan } from "./plan.js";
import { addRun, type Run, readRuns, runOf } from "./record.js";
import { residualNet } from "./residual-net.js";
import { RoundsGradient } from "./rounds-gradient.js";
import { tablesOf } from "./tables.js";

const FILE = join(fileURLToPath(new URL("../..", import.meta.url)), "examples/out/dorefa.jsonl");

interface Sets {
  readonly train: ImageSet;
  readonly test: ImageSet;
}

/** Does those trainings that the file lacks; prints each as it is done, the tables of all at the end. */
export async function dorefaReport(plans: readonly Plan[]): Promise<void> {
  await startTensorflow();
  const loaded = new Map<Plan["set"], Sets | string>();
  const runs: Run[] = [];
  for (const plan of plans) {
    const done = runOf(plan, readRuns(FILE));
    if (done !== undefined) {
      runs.push(done);
      continue;
    }
    if (!loaded.has(plan.set)) {
      const sets = load(plan.set);
      loaded.set(plan.set, sets);
      if (typeof sets === "string") console.log(`${plan.set}: skipped, ${sets}`);
    }
    const sets = loaded.get(plan.set) as Sets | string;
    if (typeof sets === "string") continue;
    const run = await runPlan(plan, sets);
    addRun(FILE, run);
    clearProgress();
    console.log(JSON.stringify(run));
    runs.push(run);
  }
  for (const { title, rows } of tablesOf(runs)) {
    console.log(title);
    console.table(rows);
  }
}

function load(set: Plan["set"]): Sets | string {
  const read = set === "mnist" ? mnist : fashionMnist;
  const [train, test] = [read("train"), read("t10k")];
  if (typeof train === "string" || typeof test === "string") return String(train);
  return { train, test };
}

async function runPlan(plan: Plan, { train, test }: Sets): Promise<Run> {
  const heldOut = plan.judgedOn === "heldOut";
  const training = heldOut ? firstImages(train, train.count - HELD_OUT) : train;
  const { noise, seed, epochs, images, learningRate } = plan;
  const bits = bitsOf(plan.bits);
  const name = `${plan.set} ${plan.bits}${noise === null ? "" : `, noise per ${noise}`}, rate ${learningRate}, seed ${seed}`;
  const model = await modelOf(plan);
  const { accuracy, msPerImage, simulated } = await trainDorefa(
    model,
    training,
    heldOut ? lastImages(train, HELD_OUT) : test,
    {
      ...(noise === null ? bits : { ...bits, gradientBits: 32 }),
      ...{ epochs, images, learningRate, seed },
      onProgress: (done) => showProgress(`${name}: ${Math.round(100 * done)} %`),
    },
  );
  model.dispose();
  simulated.dispose();
  return { ...plan, accuracy, msPerImage: Number(msPerImage.toFixed(2)) };
}

async function modelOf({ set, bits, noise, seed }: Plan): Promise<tf.LayersModel> {
  if (set === "fashion") return residualNet(seed);
  if (noise === null) return lenet(seed);
  const { gradientBits } = bitsOf(bits);
  let tensor = 0;
  return lenet(seed, (layer) => {
    const rounding = { bits: gradientBits, noise, seed, tensor: tensor++ };
    return new RoundsGradient({ name: `${layer}_gradient`, rounding });
  });
}
