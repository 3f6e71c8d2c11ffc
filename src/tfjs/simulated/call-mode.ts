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

/** What an edge, clip or rounding layer gives: values on its grid, or of one that only observes what passes it. */
export type RecordRounded = (layer: tf.layers.Layer, given: tf.Tensor) => void;

let recording: RecordRounded | undefined;

/** Runs `run` with edges, clips and rounding layers handing what they give to `record`; it changes nothing that is computed. */
export function whileRecording<T>(record: RecordRounded, run: () => T): T {
  const before = recording;
  recording = record;
  try {
    return run();
  } finally {
    recording = before;
  }
}

/** The recording under way, if any. */
export function recorder(): RecordRounded | undefined {
  return recording;
}
