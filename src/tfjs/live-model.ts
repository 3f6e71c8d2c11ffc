import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { formatShape, type Shape } from "../core/shape.js";
import type { Json, ModelArtifacts } from "../formats/tfjs-model/artifacts.js";
import { floatWeight, joinWeights, splitWeights } from "../formats/tfjs-model/weight-data.js";

/** A model of either kind that tfjs loads. */
export type TfjsModel = tf.LayersModel | tf.GraphModel;

/** A live model's structure and float weights, read synchronously. */
export interface LiveModel {
  readonly topology: Json;
  readonly weights: readonly { readonly name: string; readonly shape: Shape; readonly tensor: tf.Tensor }[];
}

/** Whether a model is a layers model; the other kind is a graph model. Throws TypeError for anything else. */
function isLayersModel(where: string, model: TfjsModel): model is tf.LayersModel {
  if (model instanceof tf.LayersModel) return true;
  if (model instanceof tf.GraphModel) return false;
  throw new TypeError(
    `${where}: expected a tf.LayersModel or tf.GraphModel of the same @tensorflow/tfjs, got ${Object.prototype.toString.call(model)}`,
  );
}

/** Reads a live model. Errors: QuantError `invalid-model` for weight names that are not unique. */
export function readLiveModel(where: string, model: TfjsModel): LiveModel {
  const live = isLayersModel(where, model) ? readLayersModel(model) : readGraphModel(where, model);
  const seen = new Set<string>();
  for (const { name } of live.weights) {
    if (seen.has(name)) {
      throw new QuantError(
        "invalid-model",
        `${where}: expected weight names once each, got "${name}" twice; give the layers different names`,
        { name },
      );
    }
    seen.add(name);
  }
  return live;
}

function readLayersModel(model: tf.LayersModel): LiveModel {
  return {
    topology: model.toJSON(null, false) as unknown as Json,
    weights: model.weights.map((weight) => ({
      name: weight.originalName,
      shape: weight.shape as number[],
      tensor: weight.read(),
    })),
  };
}

function readGraphModel(where: string, model: tf.GraphModel): LiveModel {
  return {
    topology: graphArtifacts(where, model).modelTopology as Json,
    weights: Object.entries(model.weights).flatMap(([name, tensors]) =>
      (tensors as tf.Tensor[]).map((tensor) => ({ name, shape: tensor.shape, tensor })),
    ),
  };
}

/** The artifacts a graph model was loaded from: its save() hands them to the handler before anything asynchronous. */
function graphArtifacts(where: string, model: tf.GraphModel): ModelArtifacts {
  let captured: ModelArtifacts | undefined;
  void model.save({
    save: (artifacts) => {
      captured = artifacts as unknown as ModelArtifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "GraphDef" } });
    },
  });
  if (captured?.weightData === undefined) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected a loaded graph model with its weight data, got one without; load it without streamWeights`,
    );
  }
  return captured;
}

/**
 * A new model with some weights replaced; the old model and its tensors are untouched.
 *
 * @param values new values by weight name, in the weight's own shape
 * @param metadata goes into userDefinedMetadata beside what is there
 */
export function copyModel(
  where: string,
  model: TfjsModel,
  live: LiveModel,
  values: ReadonlyMap<string, Float32Array>,
  metadata: object,
): TfjsModel {
  if (isLayersModel(where, model)) return copyLayersModel(where, model, live, values, metadata);
  const artifacts = graphArtifacts(where, model);
  const stored = splitWeights(artifacts).map((weight) => {
    const replaced = values.get(weight.spec.name);
    return replaced === undefined ? weight : floatWeight(weight.spec.name, weight.spec.shape, replaced);
  });
  const copy = {
    ...artifacts,
    ...joinWeights(stored),
    userDefinedMetadata: { ...artifacts.userDefinedMetadata, ...metadata },
  };
  return tf.loadGraphModelSync(tf.io.fromMemorySync(copy as unknown as tf.io.ModelArtifacts)) as tf.GraphModel;
}

function copyLayersModel(
  where: string,
  model: tf.LayersModel,
  { weights }: LiveModel,
  values: ReadonlyMap<string, Float32Array>,
  metadata: object,
): tf.LayersModel {
  // fromConfig is how tfjs itself builds a model from JSON; its types leave out the arguments.
  const build = model.constructor as unknown as {
    fromConfig(cls: unknown, config: unknown, customObjects: object, fastWeightInit: boolean): tf.LayersModel;
  };
  const copy = build.fromConfig(build, model.getConfig(), {}, true);
  // By name, not by position: frozen nested models come last among the old weights, and a new model is not frozen.
  const variables = new Map(copy.weights.map((variable) => [variable.originalName, variable]));
  for (const { name, shape } of weights) {
    const found = variables.get(name)?.shape as Shape | undefined;
    if (found !== undefined && formatShape(found) === formatShape(shape)) continue;
    copy.dispose();
    throw new QuantError(
      "invalid-model",
      `${where}: expected a weight "${name}" ${formatShape(shape)} in the model made from its configuration, got ${found === undefined ? "none" : formatShape(found)}; tfjs could not load this model either`,
      { name },
    );
  }
  tf.tidy(() => {
    for (const { name, shape, tensor } of weights) {
      const replaced = values.get(name);
      variables.get(name)?.write(replaced === undefined ? tensor : tf.tensor(replaced, shape as number[], "float32"));
    }
  });
  copy.setUserDefinedMetadata({ ...model.getUserDefinedMetadata(), ...metadata });
  return copy;
}
