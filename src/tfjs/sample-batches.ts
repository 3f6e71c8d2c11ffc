import * as tf from "@tensorflow/tfjs";

/**
 * Samples of a model's inputs: one tensor per input of the model, samples along the first axis, which is cut into batches; or a
 * sequence of batches.
 */
export type CalibrationSamples = tf.Tensor | tf.Tensor[] | Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>;

/** One tensor per input of the model; a lone one also by itself. */
export type CalibrationBatch = tf.Tensor | tf.Tensor[];

/**
 * Samples batch by batch; batches that are cut here are disposed of when the next one is asked for.
 *
 * Errors: TypeError, RangeError for samples of a wrong kind or of different numbers, and for a batch size that is none.
 */
export async function* batchesOf(
  where: string,
  model: tf.LayersModel,
  samples: CalibrationSamples,
  batchSize = 32,
): AsyncGenerator<CalibrationBatch> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`${where}: expected an integer batchSize ≥ 1, got ${String(batchSize)}`);
  }
  const whole = wholeInputs(where, model, samples);
  if (whole === undefined) {
    yield* samples as Iterable<CalibrationBatch> | AsyncIterable<CalibrationBatch>;
    return;
  }
  const [count] = whole[0].shape;
  if (whole.some(({ shape }) => shape[0] !== count)) {
    const counts = whole.map(({ shape }) => shape[0]).join(" and ");
    throw new RangeError(`${where}: expected inputs with equally many samples, got ${counts}`);
  }
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    const batch = whole.map((x) => tf.slice(x, start, size));
    yield batch;
    tf.dispose(batch);
  }
}

/** The inputs, where whole tensors were given; undefined for a sequence of batches. */
function wholeInputs(where: string, { inputs }: tf.LayersModel, samples: CalibrationSamples): tf.Tensor[] | undefined {
  if (samples instanceof tf.Tensor) return [samples];
  if (Array.isArray(samples) && samples.length === inputs.length && samples.every((x) => x instanceof tf.Tensor)) {
    return samples as tf.Tensor[];
  }
  const given = samples as object | null | undefined;
  if (typeof given === "object" && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given)) {
    return undefined;
  }
  throw new TypeError(`${where}: expected tensors or a sequence of batches, got ${String(samples)}`);
}
