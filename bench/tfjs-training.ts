import { readdirSync, readFileSync } from "node:fs";
import type { LayersModel } from "@tensorflow/tfjs";
import { readTfjs } from "../src/formats/tfjs-model/files.js";
import { accelerate } from "../src/tfjs/accelerate.js";
import { DoReFaQuantizer } from "../src/tfjs/dorefa-quantizer.js";
import { enableWasmTraining } from "../src/tfjs/enable-wasm-training.js";
import { QATQuantizer } from "../src/tfjs/qat-quantizer.js";
import { compare, type Row } from "./comparison.js";
import { startProjectTensorflow } from "./project-tensorflow.js";

const BATCH = 64;
const CNN = new URL("../examples/models/fashion-cnn/", import.meta.url);

/** One training step (Adam, batch 64) of the 22 000-parameter CNN: the library's layers against stock ones, and what QAT and DoReFa cost. */
export default async function measure(): Promise<Row[]> {
  const tf = await startProjectTensorflow();
  enableWasmTraining();
  const files = readdirSync(CNN).map((name) => [name, readFileSync(new URL(name, CNN))] as const);
  const artifacts = readTfjs(Object.fromEntries(files));
  const load = () =>
    tf.loadLayersModel(tf.io.fromMemory(artifacts as unknown as Parameters<typeof tf.io.fromMemory>[0]));
  const x = tf.randomUniform([BATCH, 28, 28, 1], 0, 1, "float32", 1);
  const y = tf.oneHot(tf.randomUniformInt([BATCH], 0, 10, 2), 10);
  const stepOf = (model: LayersModel) => {
    const optimizer = tf.train.adam(1e-4);
    const variables = model.trainableWeights.map((weight) => weight.read() as ReturnType<typeof tf.variable>);
    const loss = () =>
      tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true }) as typeof x).mean() as ReturnType<
        typeof tf.scalar
      >;
    return () => optimizer.minimize(loss, false, variables);
  };
  const qat = (freezeBatchNormStep: number) =>
    new QATQuantizer({ weightBits: 4, activationBits: 8, freezeBatchNormStep });
  const dorefa = (weightBits: number, activationBits: number) =>
    new DoReFaQuantizer({ weightBits, activationBits, gradientBits: 4 });
  const model = await load();
  return compare({
    kernel: "training step of an accelerated CNN, per image",
    // So that times are microseconds per image.
    elements: BATCH * 2 ** 20,
    resident: stepOf(accelerate(model)),
    peers: [
      { name: "the stock model after enableWasmTraining", run: stepOf(model) },
      { name: "QATQuantizer's model, w4a8", run: stepOf(qat(Number.MAX_SAFE_INTEGER).compress(model)) },
      { name: "the same, batch norm frozen", run: stepOf(qat(0).compress(model)) },
      { name: "DoReFaQuantizer's model, 1-2-4", run: stepOf(dorefa(1, 2).compress(model)) },
      { name: "the same, 4-4-4", run: stepOf(dorefa(4, 4).compress(model)) },
    ],
  });
}
