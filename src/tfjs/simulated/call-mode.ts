import type * as tf from "@tensorflow/tfjs";

/** What a layer is doing while a calibration runs over the model: everything in float, edges collecting values. */
export type Collect = (edge: string, values: tf.Tensor) => void;

let collecting: Collect | undefined;

/** Runs `run` with every simulated layer in float, evaluation mode; edges hand what passes them to `collect`. */
export function whileCollecting<T>(collect: Collect, run: () => T): T {
  const before = collecting;
  collecting = collect;
  try {
    return run();
  } finally {
    collecting = before;
  }
}

/** The calibration under way, if any. Layers run synchronously, so no other model can come in between. */
export function collector(): Collect | undefined {
  return collecting;
}
