// Training in few bits from the start: weights, activations and gradients. What npm start shows and what
// npm run accuracy -- dorefa measures.
import type * as tf from "@tensorflow/tfjs";
import type { Report } from "bitpress";
import { DoReFaQuantizer } from "bitpress/tfjs";
import type { ImageSet } from "./data/idx.js";
import { accuracy } from "./evaluate.js";
import { train } from "./training.js";

/** Bits of weights, activations and gradients; 32 for untouched. */
export interface DorefaBits {
  readonly weightBits: number;
  readonly activationBits: number;
  readonly gradientBits: number;
}

export interface DorefaTraining extends DorefaBits {
  readonly epochs: number;
  /** Images per epoch. */
  readonly images: number;
  readonly learningRate: number;
  /** Of the order of the images and of the noise in gradients. */
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface DorefaResult {
  /** Share of test images that the trained model gets right. */
  readonly accuracy: number;
  readonly msPerImage: number;
  /** Bytes in float and in few bits. */
  readonly report: Report;
  /** The model, trained; the caller's to dispose of. */
  readonly simulated: tf.LayersModel;
}

/** Few bits want steps ten times the usual; chosen on training images that were left out (docs/dorefa.md). */
export const DOREFA_RATE = 1e-2;

/** Trains a network anew, with Adam and a learning rate that falls to a hundredth, and judges it. `model` stays as it is. */
export async function trainDorefa(
  model: tf.LayersModel,
  training: ImageSet,
  test: ImageSet,
  { weightBits, activationBits, gradientBits, ...how }: DorefaTraining,
): Promise<DorefaResult> {
  const quantizer = new DoReFaQuantizer({ weightBits, activationBits, gradientBits, seed: how.seed });
  const simulated = quantizer.compress(model);
  const msPerImage = await train(simulated, training, { ...how, lastShare: 0.01 });
  return { accuracy: accuracy(simulated, test), msPerImage, report: quantizer.report(), simulated };
}
