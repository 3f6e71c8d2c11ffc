import * as tf from "@tensorflow/tfjs";
import type { ModelArtifacts } from "../../src/formats/tfjs-model/artifacts.js";
import { decodeFloats, splitWeights } from "../../src/formats/tfjs-model/weight-data.js";

/** The float weights of a layers model by name, copied. */
export function weightsOf(model: tf.LayersModel): Map<string, Float32Array> {
  return new Map(
    model.weights.map((variable) => [variable.originalName, Float32Array.from(variable.read().dataSync())]),
  );
}

/** The bits of floats, so that comparisons tell −0 from 0. */
export function bitsOf(data: Float32Array): Uint32Array {
  return new Uint32Array(data.slice().buffer);
}

/** The outputs of a model, bit by bit. */
export function predictions(model: tf.LayersModel | tf.GraphModel, input: tf.Tensor | tf.Tensor[]): Uint32Array[] {
  return floatPredictions(model, input).map(bitsOf);
}

/** The outputs of a model. */
export function floatPredictions(
  model: tf.LayersModel | tf.GraphModel,
  input: tf.Tensor | tf.Tensor[],
): Float32Array[] {
  return tf.tidy(() =>
    [model.predict(input) as tf.Tensor | tf.Tensor[]].flat().map((output) => Float32Array.from(output.dataSync())),
  );
}

/** What stock save() hands to its handler. */
export async function stockArtifacts(
  model: tf.LayersModel | tf.GraphModel,
  config?: tf.io.SaveConfig,
): Promise<ModelArtifacts> {
  let captured: tf.io.ModelArtifacts | undefined;
  const handler = {
    save: async (artifacts: tf.io.ModelArtifacts) => {
      captured = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } };
    },
  };
  await model.save(handler, config);
  return captured as unknown as ModelArtifacts;
}

/** Loads a layers model with stock tfjs. */
export function loadLayers(artifacts: ModelArtifacts): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(artifacts as unknown as tf.io.ModelArtifacts));
}

/** Loads a graph model with stock tfjs. */
export function loadGraph(artifacts: ModelArtifacts): tf.GraphModel {
  return tf.loadGraphModelSync(tf.io.fromMemorySync(artifacts as unknown as tf.io.ModelArtifacts)) as tf.GraphModel;
}

/** The float weights of artifacts by name. */
export function storedFloats(artifacts: ModelArtifacts): Map<string, Float32Array> {
  return new Map(
    splitWeights(artifacts)
      .filter(({ spec }) => spec.dtype === "float32")
      .map((weight) => [weight.spec.name, decodeFloats(weight)]),
  );
}
