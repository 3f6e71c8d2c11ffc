import { accelerate } from "../src/tfjs/accelerate.js";
import { enableWasmTraining } from "../src/tfjs/enable-wasm-training.js";
import { QATQuantizer } from "../src/tfjs/qat-quantizer.js";
import { compare, type Row } from "./comparison.js";
import { loadFashionCnn } from "./fashion-cnn.js";
import { startProjectTensorflow } from "./project-tensorflow.js";
import { BATCH, trainingStep } from "./training-step.js";

/** One training step (Adam, batch 64) of the 22 000-parameter CNN: the library's layers against stock ones, and what QAT costs. */
export default async function measure(): Promise<Row[]> {
  const tf = await startProjectTensorflow();
  enableWasmTraining();
  const qat = (freezeBatchNormStep: number) =>
    new QATQuantizer({ weightBits: 4, activationBits: 8, freezeBatchNormStep });
  const model = await loadFashionCnn(tf);
  return compare({
    kernel: "training step of an accelerated CNN, per image",
    // So that times are microseconds per image.
    elements: BATCH * 2 ** 20,
    resident: trainingStep(tf, accelerate(model)),
    peers: [
      { name: "the stock model after enableWasmTraining", run: trainingStep(tf, model) },
      { name: "QATQuantizer's model, w4a8", run: trainingStep(tf, qat(Number.MAX_SAFE_INTEGER).compress(model)) },
      { name: "the same, batch norm frozen", run: trainingStep(tf, qat(0).compress(model)) },
    ],
  });
}
