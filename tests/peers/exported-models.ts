import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { fashionMnist, type ImageSet, mnist } from "../../examples/data/idx.js";
import { modelFolder, nsfwModel } from "../../examples/data/models.js";
import { photoCrops } from "../../examples/data/photos.js";
import { loadModel, startTensorflow } from "../../examples/evaluate.js";
import { writeTflite } from "../../src/formats/tflite/write-tflite.js";
import { calibrate } from "../../src/tfjs/calibrate.js";
import { convert } from "../../src/tfjs/convert.js";
import { QATQuantizer } from "../../src/tfjs/qat-quantizer.js";

/** A float network, and what calibration alone makes of it. */
export interface ExportedModel {
  /** A .tflite file with int8 inputs and outputs. */
  readonly file: Uint8Array;
  /** Runs the float network on an image, from array to array, on the tfjs wasm backend. */
  readonly runFloat: (image: Float32Array) => Float32Array;
  /** Images in [0, 1] for it, one after the other, not those it was calibrated on. */
  readonly images: Float32Array;
}

/** Training images that a CNN is calibrated on. */
const CALIBRATED = 300;

export type CnnName = "mnist-cnn" | "fashion-cnn";

/** Exports a CNN of examples/models, or says why that cannot be done here. */
export async function exportedCnn(name: CnnName): Promise<ExportedModel | string> {
  const sets: readonly (ImageSet | string)[] = (["train", "t10k"] as const).map(
    name === "mnist-cnn" ? mnist : fashionMnist,
  );
  const [training, test] = sets;
  if (typeof training === "string") return training;
  if (typeof test === "string") return test;
  await startTensorflow();
  const folder = fileURLToPath(new URL(`../../examples/models/${name}`, import.meta.url));
  const float = (await loadModel(modelFolder(folder))) as tf.LayersModel;
  const samples = tf.tensor4d(training.images.slice(0, CALIBRATED * 784), [CALIBRATED, 28, 28, 1]);
  return { ...(await exported(float, samples)), images: test.images };
}

/** Exports MobileNetV2 of nsfwjs, calibrated on eight crops of one photo. */
export async function exportedMobilenet(): Promise<ExportedModel> {
  await startTensorflow();
  const float = (await loadModel(nsfwModel("mobilenet_v2"))) as tf.LayersModel;
  const { data, count, side } = photoCrops(224, 2);
  const half = data.length / 2;
  const samples = tf.tensor4d(data.subarray(0, half), [count / 2, side, side, 3]);
  return { ...(await exported(float, samples)), images: data.subarray(half) };
}

async function exported(float: tf.LayersModel, samples: tf.Tensor4D): Promise<Omit<ExportedModel, "images">> {
  const simulated = new QATQuantizer({ bits: 8 }).compress(float);
  await calibrate(simulated, samples, { observer: "movingAverage" });
  samples.dispose();
  const shape = [1, ...samples.shape.slice(1)];
  return {
    file: writeTflite(await convert(simulated), { io: "int8" }),
    runFloat: (image) =>
      tf.tidy(() => (float.predict(tf.tensor(image, shape)) as tf.Tensor).dataSync() as Float32Array),
  };
}
