// What the pages that train have in common: a network of fixed weights, data, and ways to compare.
import * as tf from "@tensorflow/tfjs";

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
export function network(): tf.LayersModel {
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

export const SAMPLES = 8;
export const images = (): tf.Tensor => tf.tensor(values(SAMPLES * 8 * 8 * 3, 50), [SAMPLES, 8, 8, 3]);
export const targets = (): tf.Tensor => tf.tensor(values(SAMPLES * 4, 51), [SAMPLES, 4]);

export async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
  return saved as tf.io.ModelArtifacts;
}

export const load = (artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> =>
  tf.loadLayersModel(tf.io.fromMemory(artifacts));

/** Relative to the largest of `b`. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [off, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    off = Math.max(off, Number.isNaN(a[i]) ? Number.POSITIVE_INFINITY : Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return off / largest;
}

export const weightsOf = ({ weightData }: tf.io.ModelArtifacts): Float32Array =>
  new Float32Array(weightData as ArrayBuffer);
