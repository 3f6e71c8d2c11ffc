// The main job: pretrained models in, four times smaller ones out, with their accuracy measured; two trained in few bits; and three that
// run in integers.
//
//   npm start                writes examples/out/<model>/ and examples/out/<model>.tflite
//   npm start -- --quick     the same on 1000 images, one photo and short training, as a test does
//
// Each model is quantized by NaiveQuantizer, stored with one byte per weight, loaded again by stock tfjs, and checked. Then
// DoReFaQuantizer trains a LeNet for MNIST anew, with 1-bit weights, 2-bit activations and 4-bit gradients, and QATQuantizer trains
// on the Fashion-MNIST CNN (MNIST where that set is not installed) with weights of 4 bits. Both, and the MNIST CNN calibrated to 8 bits,
// are written as .tflite files, read back, and run by sessions.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LayersModel } from "@tensorflow/tfjs";
import { backend, type ModelArtifacts, type Report, writeTfjs } from "bitpress";
import { NaiveQuantizer, type TfjsModel, toArtifacts } from "bitpress/tfjs";
import { fashionMnist, firstImages, type ImageSet, mnist } from "./data/idx.js";
import { modelFolder, nsfwModel } from "./data/models.js";
import { photoCrops } from "./data/photos.js";
import { DOREFA_RATE, trainDorefa } from "./dorefa-training.js";
import { accuracy, largest, loadModel, margin, probabilities, startTensorflow } from "./evaluate.js";
import { calibratedModel, runIntegers } from "./integer-models.js";
import { lenet } from "./lenet.js";
import { trainQuantized } from "./quantized-training.js";
import { printTable } from "./table.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "out");

interface Row {
  readonly model: string;
  readonly before: number;
  readonly after: number;
  /** Of the files and of the tensor that rounding changes most; undefined for a model that was trained, not rounded. */
  readonly fileBytes?: number;
  readonly sqnr?: number;
  readonly result: string;
}

const [argument] = process.argv.slice(2);
if (argument !== undefined && argument !== "--quick") {
  console.error(`main-job: expected no argument or --quick, got ${JSON.stringify(argument)}`);
  process.exit(1);
}
const quick = argument === "--quick";
const started = performance.now();
await startTensorflow();
console.log(`bitpress on its ${backend()} build, tfjs on its wasm backend, one thread`);
if (quick) console.log("quick: 1000 test images, one photo and short training; without --quick all of them");
const dorefa = await fewBits();
const rows = [
  await digits("mnist-cnn", mnist("t10k")),
  await digits("fashion-cnn", fashionMnist("t10k")),
  await mobilenet(),
  dorefa.row,
].filter((row) => row !== undefined);
print(rows);
printIntegers([await calibrateToEightBits(), await trainToFourBits(), await integers(dorefa.trained)]);
console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s; files in examples/out`);

/** A CNN of 22 000 parameters: accuracy on the test set before, after, and after a round trip through files. */
async function digits(name: string, all: ImageSet | string): Promise<Row | undefined> {
  if (typeof all === "string") {
    console.log(`${name}: skipped, ${all}`);
    return undefined;
  }
  const set = quick ? firstImages(all, 1000) : all;
  progress(`${name}: float accuracy on ${set.count} images`);
  const model = await loadModel(modelFolder(join(here, "models", name)));
  const float = accuracy(model, set);
  const { small, stored, report, fileBytes } = await compress(name, model);
  progress(`${name}: quantized accuracy`);
  const quantized = accuracy(small, set);
  progress(`${name}: accuracy of the files`);
  const reloaded = accuracy(stored, set);
  // In whole images, as shares are not exact in binary. A thousand of them are too few to tell 0.1 point from chance.
  const changed = Math.abs(Math.round(float * set.count) - Math.round(quantized * set.count));
  const allowed = quick ? 3 : set.count / 1000;
  check(name, changed <= allowed, `accuracy within ${allowed} of ${set.count} images of float, got ${changed}`);
  check(name, quantized === reloaded, "the same accuracy from the files");
  const result = `top-1 ${percent(float)} → ${percent(quantized)} (${set.count} images)`;
  return { model: name, before: report.bytesBefore, after: report.bytesAfter, fileBytes, sqnr: lowest(report), result };
}

/** MobileNetV2 (nsfwjs): agreement of the most likely class with the float model on crops of real photos. */
async function mobilenet(): Promise<Row> {
  const name = "mobilenet-v2";
  const crops = photoCrops(224, quick ? 1 : 6);
  progress(`${name}: float classes of ${crops.count} photo crops`);
  const model = await loadModel(nsfwModel("mobilenet_v2"));
  const float = probabilities(model, crops);
  const { small, stored, report, fileBytes } = await compress(name, model);
  progress(`${name}: quantized classes`);
  const quantized = probabilities(small, crops).map(largest);
  progress(`${name}: classes of the files`);
  const reloaded = probabilities(stored, crops).map(largest);
  // The model's five classes are often close to each other on crops, so the clear cases are counted beside all of them.
  const same = float.map((values, i) => largest(values) === quantized[i]);
  const clear = float.map((values) => margin(values) >= 0.5);
  const agree = same.filter(Boolean).length;
  const clearly = clear.filter(Boolean).length;
  const agreeClearly = same.filter((agrees, i) => agrees && clear[i]).length;
  check(name, agreeClearly === clearly, "agreement wherever the float model leads by 0.5");
  check(
    name,
    quantized.every((label, i) => label === reloaded[i]),
    "the same classes from the files",
  );
  const result = `top-1 agrees on ${agree} of ${crops.count} photo crops, ${agreeClearly} of ${clearly} clear ones`;
  return { model: name, before: report.bytesBefore, after: report.bytesAfter, fileBytes, sqnr: lowest(report), result };
}

/** A network trained from the start with 1-bit weights, 2-bit activations and 4-bit gradients between its ends. */
async function fewBits(): Promise<{ readonly row: Row; readonly trained: Simulated }> {
  const name = "lenet 1-2-4";
  const test = quick ? firstImages(mnist("t10k"), 1000) : mnist("t10k");
  const images = quick ? 1920 : 20_000;
  progress(`${name}: training`);
  const model = lenet(1);
  const { accuracy, report, simulated } = await trainDorefa(model, mnist("train"), test, {
    ...{ weightBits: 1, activationBits: 2, gradientBits: 4, learningRate: DOREFA_RATE, epochs: 1, images, seed: 1 },
    onProgress: tenths((done) => progress(`${name}: training, ${done} of ${images} images`)),
  });
  const least = quick ? 0.8 : 0.97;
  check(name, accuracy >= least, `accuracy of at least ${least}, got ${accuracy}`);
  const result = `top-1 ${percent(accuracy)} after ${images} images of training (${test.count} images)`;
  const row = { model: name, before: report.bytesBefore, after: report.bytesAfter, result };
  return { row, trained: { name, float: model, simulated, test, simulatedShare: accuracy } };
}

/** Calls with each tenth of the work, in percent. */
function tenths(show: (done: string) => void): (done: number) => void {
  let next = 0.1;
  return (done) => {
    if (done < next) return;
    next = done + 0.1;
    show(`${Math.round(100 * done)} %`);
  };
}

/** A model that simulates integers, and the float model it was made of. */
interface Simulated {
  readonly name: string;
  readonly float: LayersModel;
  readonly simulated: LayersModel;
  readonly test: ImageSet;
  /** Accuracy of both; none of a float model that was not trained, of which the time alone counts. */
  readonly floatShare?: number;
  readonly simulatedShare: number;
}

/** The MNIST CNN in 8 bits, after calibration alone. */
async function calibrateToEightBits(): Promise<readonly string[]> {
  const test = quick ? firstImages(mnist("t10k"), 1000) : mnist("t10k");
  progress("mnist-cnn: calibrating to 8 bits");
  const float = (await loadModel(modelFolder(join(here, "models", "mnist-cnn")))) as LayersModel;
  const simulated = await calibratedModel(float, mnist("train"));
  const shares = { floatShare: accuracy(float, test), simulatedShare: accuracy(simulated, test) };
  return integers({ name: "mnist-cnn w8a8", float, simulated, test, ...shares });
}

/** A CNN with weights of 4 bits and activations of 8: after calibration alone, after one short epoch of training, and in integers. */
async function trainToFourBits(): Promise<readonly string[]> {
  const fashion = [fashionMnist("train"), fashionMnist("t10k")] as const;
  const installed = typeof fashion[0] !== "string" && typeof fashion[1] !== "string";
  const name = installed ? "fashion-cnn" : "mnist-cnn";
  const [training, all] = (installed ? fashion : [mnist("train"), mnist("t10k")]) as [ImageSet, ImageSet];
  const test = quick ? firstImages(all, 1000) : all;
  const images = quick ? 640 : 10_000;
  progress(`${name}: training with 4-bit weights`);
  const model = (await loadModel(modelFolder(join(here, "models", name)))) as LayersModel;
  const float = accuracy(model, test);
  const found = await trainQuantized(model, training, test, {
    ...{ weightBits: 4, activationBits: 8, epochs: 1, images, seed: 1 },
    onProgress: tenths((done) => progress(`${name}: training with 4-bit weights, ${done} of ${images} images`)),
  });
  const { calibrated, trained, msPerImage } = found;
  // Short of a full epoch little is learnt: then it only must not do harm.
  check(name, trained >= (quick ? calibrated - 0.02 : float - 0.02), "trained accuracy near float");
  say(
    `${name}, 4-bit weights: float ${percent(float)}, calibrated ${percent(calibrated)}, trained on ${images} images ${percent(trained)} (${msPerImage.toFixed(2)} ms per image)`,
  );
  const shares = { floatShare: float, simulatedShare: trained };
  return integers({ name: `${name} w4a8`, float: model, simulated: found.model, test, ...shares });
}

/** Writes, reads, verifies and runs a model's integers; returns its row of the table. */
async function integers(model: Simulated): Promise<readonly string[]> {
  const { name, float, simulated, test, floatShare, simulatedShare } = model;
  const file = `${name.replaceAll(" ", "-")}.tflite`;
  progress(`${name}: integers`);
  const found = await runIntegers(simulated, float, test, {
    ...{ file: join(out, file), samples: quick ? 100 : 1000, timed: 1000 },
    onProgress: (doing) => progress(`${name}: ${doing}`),
  });
  say(`${name}: verify: ${found.parityLine}`);
  const rounded = found.parity.layers.filter(({ roundedLater }) => roundedLater === undefined);
  const differing = rounded.reduce((sum, { alone }) => sum + alone.differing, 0);
  const codes = rounded.reduce((sum, layer) => sum + layer.codes, 0);
  check(
    name,
    differing <= codes / 10_000 && rounded.every(({ alone }) => alone.largest <= 1),
    `≤ 1 in 10^4 codes to differ, by 1, got ${found.parityLine}`,
  );
  const changed = Math.abs(Math.round(found.accuracy * test.count) - Math.round(simulatedShare * test.count));
  // 0.05 point, as far as images can tell. DoReFa trains its first and last layers in float: rounding them to 8 bits costs more, and
  // after short training, with ranges that lag behind, a few points.
  const allowed = floatShare !== undefined ? Math.max(1, test.count / 2000) : test.count * (quick ? 0.03 : 0.005);
  check(name, changed <= allowed, `integer accuracy within ${allowed} of ${test.count} images, got ${changed}`);
  const { session, float: one, floatInHundreds } = found.times;
  return [
    name,
    floatShare === undefined ? "–" : percent(floatShare),
    ...[simulatedShare, found.accuracy].map(percent),
    file,
    `${(found.fileBytes / 1024).toFixed(1)} KiB`,
    ...[session, one, floatInHundreds].map((time) => `${time.toFixed(0)} µs`),
  ];
}

function printIntegers(rows: readonly (readonly string[])[]): void {
  const shares = ["float", "simulated", "in integers"];
  const times = ["session, per image", "tfjs float, one by one", "tfjs float, in hundreds"];
  clearProgress();
  printTable([["model", ...shares, "file in examples/out", "size", ...times], ...rows]);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Quantizes, writes files, and loads them again with stock tfjs. */
async function compress(
  name: string,
  model: TfjsModel,
): Promise<{ small: TfjsModel; stored: TfjsModel; report: Report; fileBytes: number }> {
  progress(`${name}: quantizing`);
  const quantizer = new NaiveQuantizer({ bits: 8 });
  const small = quantizer.compress(model);
  const files = writeTfjs(await toArtifacts(small));
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let fileBytes = 0;
  for (const [path, bytes] of Object.entries(files)) {
    writeFileSync(join(folder, path), bytes);
    if (path !== "model.json") fileBytes += bytes.length;
  }
  const artifacts: ModelArtifacts = modelFolder(folder);
  return { small, stored: await loadModel(artifacts), report: quantizer.report(), fileBytes };
}

function lowest({ tensors }: Report): number {
  return tensors.reduce((low, { sqnr }) => Math.min(low, sqnr), Number.POSITIVE_INFINITY);
}

function check(name: string, holds: boolean, what: string): void {
  if (holds) return;
  console.error(`${name}: expected ${what}`);
  process.exitCode = 1;
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text} …`);
  else console.log(text);
}

function clearProgress(): void {
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
}

/** A line that stays. */
function say(text: string): void {
  clearProgress();
  console.log(text);
}

function print(table: readonly Row[]): void {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
  const head = ["model", "float32", "quantized", "ratio", "weight files", "lowest SQNR", "result"];
  const lines = table.map(({ model, before, after, fileBytes, sqnr, result }) => [
    model,
    kib(before),
    kib(after),
    `${(before / after).toFixed(2)}x`,
    fileBytes === undefined ? "–" : kib(fileBytes),
    sqnr === undefined ? "–" : `${sqnr.toFixed(1)} dB`,
    result,
  ]);
  clearProgress();
  printTable([head, ...lines]);
}
