// Entry for pages that load tfjs, its wasm backend and the script-tag bundle: trains a simulated model on the backend that the
// page's address names, and compares it with the cpu backend.
import * as tf from "@tensorflow/tfjs";
import { chooseQuantParams } from "bitpress";
import { QATQuantizer } from "bitpress/tfjs";
import { attempt, report } from "./page-report.js";

/** Values in (−1, 1), the same everywhere. */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/**
 * A convolution with batch normalization, and a dense layer, of fixed weights. No max-pool: rounded values are often equal, and
 * the stock op of the webgl backend passes their gradient to another one of them than the cpu backend does.
 */
function network(): tf.LayersModel {
  const { layers } = tf;
  const model = tf.sequential({
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: "same", inputShape: [8, 8, 3] }),
      layers.batchNormalization(),
      layers.reLU({ maxValue: 6 }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
  });
  tf.tidy(() => {
    const weights = model.getWeights().map(({ shape }, i) => {
      const data = values(tf.util.sizeFromShape(shape), i + 1);
      return tf.tensor(shape.length > 1 ? data.map((v) => v * 0.5) : data.map((v) => 1 + v / 4), shape);
    });
    model.setWeights(weights);
  });
  return model;
}

const SAMPLES = 8;
const images = (): tf.Tensor => tf.tensor(values(SAMPLES * 8 * 8 * 3, 50), [SAMPLES, 8, 8, 3]);
const targets = (): tf.Tensor => tf.tensor(values(SAMPLES * 4, 51), [SAMPLES, 4]);

/** Two steps of training; the artifacts, the loss of an evaluation, and how many tensors an epoch left behind. */
async function trained(backend: string) {
  if (!(await tf.setBackend(backend))) throw new Error(`setBackend("${backend}") failed`);
  const [x, y] = [images(), targets()];
  const float = network();
  const model = new QATQuantizer({ bits: 8 }).compress(float);
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

async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
  return saved as tf.io.ModelArtifacts;
}

const load = (artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> =>
  tf.loadLayersModel(tf.io.fromMemory(artifacts));

/** What every quantizer of a loaded model gives, as codes, and the output itself. */
async function codesOn(backend: string, artifacts: tf.io.ModelArtifacts) {
  await tf.setBackend(backend);
  const model = await load(artifacts);
  const edges = model.layers.filter((layer) => layer.getClassName() === "BitpressEdge");
  const inside = tf.model({ inputs: model.inputs, outputs: edges.map(({ output }) => output as tf.SymbolicTensor) });
  const x = images();
  const outputs = [inside.predict(x)].flat();
  const codes: number[] = [];
  for (const [i, edge] of edges.entries()) {
    const [min, max] = await edge.getWeights()[0].data();
    const { scale, zeroPoint } = chooseQuantParams({ min, max }, { bits: 8 });
    for (const value of await outputs[i].data())
      codes.push(Math.round(value / (scale as number)) + (zeroPoint as number));
  }
  const output = await (model.predict(x) as tf.Tensor).data();
  const again = await load(await artifactsOf(model));
  const reloaded = await (again.predict(x) as tf.Tensor).data();
  return { codes, reloadError: Math.max(...output.map((v, i) => Math.abs(v - reloaded[i]))) };
}

/** Relative to the largest of `b`. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [off, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    off = Math.max(off, Number.isNaN(a[i]) ? Number.POSITIVE_INFINITY : Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return off / largest;
}

const weightsOf = ({ weightData }: tf.io.ModelArtifacts): Float32Array => new Float32Array(weightData as ArrayBuffer);

async function compare(): Promise<unknown> {
  const parameters = new URLSearchParams(location.search);
  const backend = parameters.get("backend") as string;
  if (parameters.has("f16")) tf.env().set("WEBGL_FORCE_F16_TEXTURES", true);
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
  };
}

attempt(compare).then(report);
