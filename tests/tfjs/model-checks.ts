import * as tf from "@tensorflow/tfjs";

/** Largest |a − b| over several tensors, relative to the largest |b| where that is above 1. */
export function largestDifference(a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number {
  return Math.max(
    ...a.map((x, i) =>
      tf.tidy(() => {
        const size = Math.max(1, tf.max(tf.abs(b[i])).dataSync()[0]);
        return tf.max(tf.abs(tf.sub(x, b[i]))).dataSync()[0] / size;
      }),
    ),
  );
}

/** A model saved and loaded again, through JSON as files carry it. */
export async function reload(model: tf.LayersModel): Promise<tf.LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
  const artifacts = saved as tf.io.ModelArtifacts;
  const modelTopology = JSON.parse(JSON.stringify(artifacts.modelTopology)) as object;
  return tf.loadLayersModel(tf.io.fromMemory({ ...artifacts, modelTopology }));
}

/** Gradients of Σ y² for every trainable weight, by name, and the names of those that got none. */
export function trainingGradients(model: tf.LayersModel, inputs: tf.Tensor | tf.Tensor[]) {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  if (variables.length === 0) return { grads: {}, missing: [] };
  const { grads } = tf.variableGrads(
    () => tf.addN([model.apply(inputs, { training: true })].flat().map((y) => tf.sum(tf.square(y as tf.Tensor)))),
    variables,
  );
  return { grads, missing: variables.map(({ name }) => name).filter((name) => grads[name] === undefined) };
}
