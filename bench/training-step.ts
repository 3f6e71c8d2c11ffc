import type { LayersModel } from "@tensorflow/tfjs";
import type { Variant } from "./interleave.js";
import type { startProjectTensorflow } from "./project-tensorflow.js";

type Tensorflow = Awaited<ReturnType<typeof startProjectTensorflow>>;

/** Images in a step. */
export const BATCH = 64;

/** One training step, by Adam, of a classifier of [28, 28, 1] into 10; always on the same images. */
export function trainingStep(tf: Tensorflow, model: LayersModel): Variant {
  const x = tf.randomUniform([BATCH, 28, 28, 1], 0, 1, "float32", 1);
  const y = tf.oneHot(tf.randomUniformInt([BATCH], 0, 10, 2), 10);
  const optimizer = tf.train.adam(1e-4);
  const variables = model.trainableWeights.map((weight) => weight.read() as ReturnType<typeof tf.variable>);
  const loss = () =>
    tf.metrics.categoricalCrossentropy(y, model.apply(x, { training: true }) as typeof x).mean() as ReturnType<
      typeof tf.scalar
    >;
  return () => optimizer.minimize(loss, false, variables);
}
