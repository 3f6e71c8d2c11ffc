import * as tf from "@tensorflow/tfjs";
import { convert } from "bitpress/tfjs";

// What both processes of simulated-model.test.ts share: data, and how models are read out.

const STEPS = 2;
const BATCH = 4;

/** Values in (−1, 1). */
function values(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Two batches of 4. */
export const images = (): tf.Tensor => tf.tensor(values(STEPS * BATCH * 72, 1), [STEPS * BATCH, 6, 6, 2]);
export const labels = (): tf.Tensor => tf.tensor(values(STEPS * BATCH * 3, 2), [STEPS * BATCH, 3]);

/** One without a state of its own. */
export const OPTIMIZER = (): tf.Optimizer => tf.train.sgd(0.05);

/** The values of all weights, as JSON carries them. */
export function weightsByName(model: tf.LayersModel): Record<string, number[]> {
  return Object.fromEntries(
    model.weights.map((variable) => [variable.originalName, Array.from(variable.read().dataSync())]),
  );
}

/** The model in integers, as JSON carries it; or why it cannot be had. */
export async function integers(model: tf.LayersModel): Promise<unknown> {
  try {
    return JSON.parse(JSON.stringify(await convert(model)));
  } catch (error) {
    return (error as Error).message;
  }
}

export function prediction(model: tf.LayersModel): number[] {
  return Array.from((model.predict(images()) as tf.Tensor).dataSync());
}
