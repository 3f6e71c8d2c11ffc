import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "./data/idx.js";

/** How a model is trained. */
export interface Training {
  /** Passes over `images` images each, drawn anew without repetition. */
  readonly epochs: number;
  readonly images: number;
  /** Of Adam at the first step; falls linearly, to no less than `lastShare` of it. */
  readonly learningRate: number;
  /** 0 by default. */
  readonly lastShare?: number;
  /** Of the order of the images: the only chance in a run. */
  readonly seed: number;
  /** Called after each batch with the share of the work that is done. */
  readonly onProgress?: (done: number) => void;
}

export const BATCH = 64;
const PIXELS = 784;

/** Trains a classifier of 28 × 28 images with Adam and cross entropy; returns milliseconds per image. */
export async function train(model: tf.LayersModel, set: ImageSet, training: Training): Promise<number> {
  const { epochs, images, learningRate, lastShare = 0, onProgress } = training;
  const random = mulberry32(training.seed);
  const optimizer = tf.train.adam(learningRate);
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  const steps = Math.floor(images / BATCH) * epochs;
  let step = 0;
  const start = performance.now();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(set.count, random);
    for (let at = 0; at + BATCH <= images; at += BATCH) {
      (optimizer as unknown as { learningRate: number }).learningRate =
        learningRate * Math.max(lastShare, 1 - step / steps);
      const [x, y] = batchOf(set, order.subarray(at, at + BATCH));
      await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
      step++;
      onProgress?.(step / steps);
    }
  }
  optimizer.dispose();
  return (performance.now() - start) / (steps * BATCH);
}

/** The first `count` images as one tensor. */
export function imageTensor({ images }: ImageSet, count: number): tf.Tensor4D {
  return tf.tensor4d(images.slice(0, count * PIXELS), [count, 28, 28, 1]);
}

function batchOf({ images, labels }: ImageSet, order: Uint32Array): [tf.Tensor4D, tf.Tensor2D] {
  const pixels = new Float32Array(order.length * PIXELS);
  const classes = new Float32Array(order.length * 10);
  order.forEach((image, i) => {
    pixels.set(images.subarray(image * PIXELS, (image + 1) * PIXELS), i * PIXELS);
    classes[i * 10 + labels[image]] = 1;
  });
  return [tf.tensor4d(pixels, [order.length, 28, 28, 1]), tf.tensor2d(classes, [order.length, 10])];
}

/** Fisher and Yates. */
function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** A small seeded generator of numbers in [0, 1). Source: Tommy Ettinger's mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
