// Entry for pages that load tfjs, its wasm backend and the script-tag bundle: trains a simulated model on the backend that the
// page's address names, and compares it with the cpu backend.
import * as tf from "@tensorflow/tfjs";
import { chooseQuantParams } from "bitpress";
import { QATQuantizer } from "bitpress/tfjs";
import { artifactsOf, difference, images, load, network, SAMPLES, targets, weightsOf } from "./page-network.js";
import { attempt, report } from "./page-report.js";

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
