// Entry for pages that load tfjs, its wasm backend and the script-tag bundle: trains a DoReFa model on the backend that the page's
// address names, and compares it with the cpu backend.
import * as tf from "@tensorflow/tfjs";
import { accelerate, DoReFaQuantizer } from "bitpress/tfjs";
import { artifactsOf, difference, images, load, network, SAMPLES, targets, weightsOf } from "./page-network.js";
import { attempt, report } from "./page-report.js";

const BITS = 2;

/** All of the network's layers are first or last. */
const compressed = (float: tf.LayersModel): tf.LayersModel =>
  new DoReFaQuantizer({ bits: BITS, gradientBits: 4, firstLastBits: BITS, seed: 7 }).compress(float);

/** Two steps of training; the artifacts, the loss of an evaluation, and how many tensors an epoch left behind. */
async function trained(backend: string) {
  if (!(await tf.setBackend(backend))) throw new Error(`setBackend("${backend}") failed`);
  const [x, y] = [images(), targets()];
  const float = network();
  const model = compressed(float);
  model.compile({ optimizer: tf.train.sgd(0.02), loss: "meanSquaredError" });
  const fit = () => model.fit(x, y, { batchSize: SAMPLES / 2, shuffle: false, verbose: 0 });
  await fit();
  const saved = await artifactsOf(model);
  const loss = model.evaluate(x, y, { verbose: 0 }) as tf.Scalar;
  const before = tf.memory().numTensors;
  await fit();
  const left = tf.memory().numTensors - before;
  const result = { saved, loss: (await loss.data())[0], left };
  tf.dispose([x, y, loss]);
  model.dispose();
  float.dispose();
  return result;
}

/** The codes of every clipped value of a loaded model. */
async function codesOn(backend: string, artifacts: tf.io.ModelArtifacts) {
  await tf.setBackend(backend);
  const model = await load(artifacts);
  const clips = model.layers.filter((layer) => layer.getClassName() === "BitpressClip");
  const inside = tf.model({ inputs: model.inputs, outputs: clips.map(({ output }) => output as tf.SymbolicTensor) });
  const x = images();
  const codes: number[] = [];
  for (const output of [inside.predict(x)].flat()) {
    for (const value of await output.data()) codes.push(Math.round(value * (2 ** BITS - 1)));
  }
  const output = await (model.predict(x) as tf.Tensor).data();
  const again = await load(await artifactsOf(model));
  const reloaded = await (again.predict(x) as tf.Tensor).data();
  return { codes, reloadError: Math.max(...output.map((v, i) => Math.abs(v - reloaded[i]))) };
}

/** Of a size at which a step is more than calls of ops. */
function largerNetwork(): tf.LayersModel {
  const { layers } = tf;
  return tf.sequential({
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 5, inputShape: [28, 28, 1] }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 32, kernelSize: 5 }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 64, activation: "relu" }),
      layers.dense({ units: 10 }),
    ],
  });
}

/** Time of a training step of the DoReFa model over that of the accelerated float model: minima of interleaved steps. */
async function stepRatio(backend: string): Promise<number> {
  await tf.setBackend(backend);
  const [x, y] = [tf.randomUniform([32, 28, 28, 1]), tf.randomUniform([32, 10])];
  const float = largerNetwork();
  const dorefa = new DoReFaQuantizer({ weightBits: 1, activationBits: 2, gradientBits: 4 });
  const models = [accelerate(float), dorefa.compress(float)];
  const times = models.map(() => Number.POSITIVE_INFINITY);
  for (const model of models) model.compile({ optimizer: tf.train.sgd(0.02), loss: "meanSquaredError" });
  for (let round = 0; round < 8; round++) {
    for (const [i, model] of models.entries()) {
      const start = performance.now();
      await model.trainOnBatch(x, y);
      times[i] = Math.min(times[i], performance.now() - start);
    }
  }
  return times[1] / times[0];
}

async function compare(): Promise<unknown> {
  const backend = new URLSearchParams(location.search).get("backend") as string;
  const here = await trained(backend);
  const cpu = await trained("cpu");
  const actual = await codesOn(backend, cpu.saved);
  const expected = await codesOn("cpu", cpu.saved);
  const steps = expected.codes.map((code, i) => Math.abs(code - actual.codes[i]));
  return {
    left: here.left,
    lossError: difference([here.loss], [cpu.loss]),
    weightsError: difference(weightsOf(here.saved), weightsOf(cpu.saved)),
    codes: steps.length,
    different: steps.filter((step) => step !== 0).length,
    largest: Math.max(...steps.map((step) => (Number.isNaN(step) ? 1e9 : step))),
    reloadError: actual.reloadError,
    stepRatio: await stepRatio(backend),
  };
}

attempt(compare).then(report);
