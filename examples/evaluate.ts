import * as tf from "@tensorflow/tfjs";
import type { ModelArtifacts } from "bitpress";
import type { TfjsModel } from "bitpress/tfjs";
import type { ImageSet } from "./data/idx.js";
import type { Crops } from "./data/photos.js";

/** Starts tfjs on its wasm backend, one thread. */
export async function startTensorflow(): Promise<void> {
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
}

/** Loads a model of either kind with stock tfjs. */
export function loadModel(artifacts: ModelArtifacts): Promise<TfjsModel> {
  const handler = tf.io.fromMemory(artifacts as unknown as tf.io.ModelArtifacts);
  return "node" in (artifacts.modelTopology as object) ? tf.loadGraphModel(handler) : tf.loadLayersModel(handler);
}

/** Share of images whose largest output is at their label. */
export function accuracy(model: TfjsModel, { images, labels, count }: ImageSet): number {
  const classes = outputs(model, images, [count, 28, 28, 1], 100).map(largest);
  return classes.reduce((right, label, i) => right + (label === labels[i] ? 1 : 0), 0) / count;
}

/** The class probabilities of each crop. */
export function probabilities(model: TfjsModel, { data, count, side }: Crops): number[][] {
  return outputs(model, data, [count, side, side, 3], 8);
}

/** Index of the largest value. */
export function largest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** How far the largest value is above the second. */
export function margin(values: readonly number[]): number {
  const [first, second] = [...values].sort((a, b) => b - a);
  return first - second;
}

/** The model's output for each input, batch by batch. */
function outputs(
  model: TfjsModel,
  data: Float32Array,
  shape: [number, number, number, number],
  batch: number,
): number[][] {
  const [count, ...rest] = shape;
  const size = rest.reduce((a, b) => a * b);
  const all: number[][] = [];
  for (let start = 0; start < count; start += batch) {
    const n = Math.min(batch, count - start);
    const found = tf.tidy(() => {
      const x = tf.tensor4d(data.subarray(start * size, (start + n) * size), [n, ...rest]);
      return (model.predict(x) as tf.Tensor2D).arraySync();
    });
    all.push(...found);
  }
  return all;
}
