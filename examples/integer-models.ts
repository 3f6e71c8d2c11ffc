// From a simulated model to a file of integers, and what a session makes of that file: what npm start ends with.
import { readFileSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { createSession, readTflite, type Session, writeTflite } from "bitpress";
import { calibrate, convert, printVerification, QATQuantizer, type VerifyReport, verify } from "bitpress/tfjs";
import { firstImages, type ImageSet } from "./data/idx.js";
import { CALIBRATION_IMAGES } from "./quantized-training.js";
import { imageTensor } from "./training.js";

export interface IntegerRun {
  /** Where the .tflite file goes. */
  readonly file: string;
  /** Test images whose codes are compared, and on which times are taken. */
  readonly samples: number;
  readonly timed: number;
  /** Called with what is done next. */
  readonly onProgress: (doing: string) => void;
}

/** What became of a model in integers. */
export interface IntegerResult {
  readonly fileBytes: number;
  /** Share of test images that the session gets right. */
  readonly accuracy: number;
  readonly parity: VerifyReport;
  /** The line of verify that says how far the integers are from the simulation. */
  readonly parityLine: string;
  readonly times: ImageTimes;
}

/** Microseconds per image, medians over blocks of 100 images, each of which all three ran before the next. */
export interface ImageTimes {
  /** The session, one image per run. */
  readonly session: number;
  /** The float model on the tfjs backend, one image per call of predict, and 100. */
  readonly float: number;
  readonly floatInHundreds: number;
}

const PIXELS = 784;
const BLOCK = 100;

/** A float model that simulates 8-bit integers, after calibration alone. `float` stays as it is. */
export async function calibratedModel(float: tf.LayersModel, training: ImageSet): Promise<tf.LayersModel> {
  const model = new QATQuantizer({ bits: 8 }).compress(float);
  const samples = imageTensor(training, CALIBRATION_IMAGES);
  await calibrate(model, samples, { observer: "movingAverage" });
  samples.dispose();
  return model;
}

/**
 * Writes a simulated model as a .tflite file, reads that back, compares it with the simulation on the first `samples` test images, runs it on
 * all of them, and times it beside the float model on the first `timed`.
 */
export async function runIntegers(
  simulated: tf.LayersModel,
  float: tf.LayersModel,
  test: ImageSet,
  { file, samples, timed, onProgress }: IntegerRun,
): Promise<IntegerResult> {
  writeFileSync(file, writeTflite(await convert(simulated)));
  const bytes = new Uint8Array(readFileSync(file));
  onProgress(`comparing its codes on ${samples} images`);
  const images = imageTensor(test, samples);
  const parity = await verify(simulated, readTflite(bytes), images, { batchSize: BLOCK });
  images.dispose();
  onProgress(`running its integers on ${test.count} images`);
  const session = createSession(bytes);
  const share = sessionAccuracy(session, test);
  onProgress(`timing it on ${timed} images`);
  const times = timeImages(session, float, firstImages(test, timed));
  session.dispose();
  const [parityLine] = printVerification(parity).split("\n");
  return { fileBytes: bytes.length, accuracy: share, parity, parityLine, times };
}

/** Share of images whose largest output is at their label. */
function sessionAccuracy(session: Session, { images, labels, count }: ImageSet): number {
  const [{ name }] = session.outputs;
  let right = 0;
  for (let n = 0; n < count; n++) {
    const scores = session.run(images.subarray(n * PIXELS, (n + 1) * PIXELS))[name] as Float32Array;
    if (scores.indexOf(Math.max(...scores)) === labels[n]) right++;
  }
  return right / count;
}

function timeImages(session: Session, float: tf.LayersModel, { images, count }: ImageSet): ImageTimes {
  const [input] = session.inputs;
  const [output] = session.outputs;
  const given = { [input.name]: images.subarray(0, PIXELS) };
  const scores = { [output.name]: new Float32Array(10) };
  const ways = {
    session(block: Float32Array): void {
      for (let at = 0; at < block.length; at += PIXELS) {
        given[input.name] = block.subarray(at, at + PIXELS);
        session.run(given, scores);
      }
    },
    float(block: Float32Array): void {
      for (let at = 0; at < block.length; at += PIXELS) predict(float, block.subarray(at, at + PIXELS), 1);
    },
    floatInHundreds: (block: Float32Array): void => predict(float, block, BLOCK),
  };
  const times: Record<keyof ImageTimes, number[]> = { session: [], float: [], floatInHundreds: [] };
  for (let at = 0; at + BLOCK <= count; at += BLOCK) {
    const block = images.subarray(at * PIXELS, (at + BLOCK) * PIXELS);
    for (const [way, run] of Object.entries(ways)) {
      const start = performance.now();
      run(block);
      times[way as keyof ImageTimes].push(((performance.now() - start) * 1000) / BLOCK);
    }
  }
  return {
    session: median(times.session),
    float: median(times.float),
    floatInHundreds: median(times.floatInHundreds),
  };
}

function predict(model: tf.LayersModel, images: Float32Array, count: number): void {
  tf.tidy(() => {
    (model.predict(tf.tensor4d(images, [count, 28, 28, 1])) as tf.Tensor).dataSync();
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
