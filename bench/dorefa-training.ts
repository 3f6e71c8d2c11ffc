import type { LayersModel } from "@tensorflow/tfjs";
import { lenet } from "../examples/lenet.js";
import { accelerate } from "../src/tfjs/accelerate.js";
import { DoReFaQuantizer } from "../src/tfjs/dorefa-quantizer.js";
import { compare, type Row } from "./comparison.js";
import { loadFashionCnn } from "./fashion-cnn.js";
import { startProjectTensorflow } from "./project-tensorflow.js";
import { BATCH, trainingStep } from "./training-step.js";

/** A step in few bits may cost 1.2 times the accelerated float step. */
const FLOOR = 1 / 1.2;

/** What DoReFa costs in a training step (Adam, batch 64): its ranges observed, as by default. */
export default async function measure(): Promise<Row[]> {
  const tf = await startProjectTensorflow();
  return [...(await measureModel(tf, "LeNet", lenet(1))), ...(await measureModel(tf, "CNN", await loadFashionCnn(tf)))];
}

async function measureModel(
  tf: Awaited<ReturnType<typeof startProjectTensorflow>>,
  name: string,
  model: LayersModel,
): Promise<Row[]> {
  const float = trainingStep(tf, accelerate(model));
  const rows: Row[] = [];
  for (const [weightBits, activationBits, gradientBits] of [
    [1, 2, 4],
    [8, 8, 8],
  ]) {
    const dorefa = new DoReFaQuantizer({ weightBits, activationBits, gradientBits }).compress(model);
    rows.push(
      ...(await compare({
        kernel: `training step of a ${name} in ${weightBits}-${activationBits}-${gradientBits}, per image`,
        elements: BATCH * 2 ** 20,
        resident: trainingStep(tf, dorefa),
        peers: [{ name: "the accelerated float model", run: float, floor: FLOOR }],
      })),
    );
  }
  return rows;
}
