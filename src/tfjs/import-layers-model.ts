import * as tf from "@tensorflow/tfjs";
import { buildGraph, type GraphBuilder } from "../graph/build.js";
import type { Graph, JsonObject, LayerSource, ValueShape, ValueType } from "../graph/types.js";
import { importLayer } from "./import-layer.js";
import type { LayerUse, LayerWeight } from "./layer-use.js";

/** A model as a graph, and its weights. */
export interface ImportedModel {
  readonly graph: Graph;
  /** Weights by their name in the graph. The tensors are the model's own: do not dispose of them. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
}

/**
 * The graph of a layers model: one node per use of a layer, found by walking back from the outputs.
 *
 * Nested models are taken apart; a layer used twice gives nodes that name the same weights. Layers that no op expresses
 * (recurrent, wrapped, custom, channels first …) become opaque nodes, which say why. The model is untouched and nothing
 * is allocated on its backend.
 *
 * Errors: TypeError for anything but a tf.LayersModel of the same @tensorflow/tfjs; QuantError `unsupported` for a layer
 * whose class is not registered.
 */
export function importLayersModel(model: tf.LayersModel): ImportedModel {
  if (!(model instanceof tf.LayersModel)) {
    throw new TypeError(
      `importLayersModel: expected a tf.LayersModel of the same @tensorflow/tfjs, got ${Object.prototype.toString.call(model)}`,
    );
  }
  const builder = buildGraph(model.name);
  const walk: Walk = {
    builder,
    layers: new Map(),
    trained: new Set(model.trainableWeights),
    weights: new Map(),
  };
  const scope: Scope = { path: "", trainable: model.trainable, values: new Map() };
  for (const input of model.inputs) {
    const name = builder.freshName(input.sourceLayer.name);
    scope.values.set(input.id, builder.input(name, input.shape, input.dtype as ValueType));
  }
  const outputs = model.outputs.map((output) => valueNameOf(output, scope, walk));
  return { graph: builder.finish(outputs), weights: walk.weights };
}

/** What is known during the whole walk. */
interface Walk {
  readonly builder: GraphBuilder;
  /** Layers met before. */
  readonly layers: Map<tf.layers.Layer, MetLayer>;
  /** Variables that training changes. */
  readonly trained: ReadonlySet<unknown>;
  readonly weights: Map<string, tf.Tensor>;
}

/** What all uses of a layer have in common; the first use decides about the path and about frozen models around it. */
type MetLayer = Pick<LayerUse, "layer" | "source" | "trainable" | "weights">;

/** One use of a model: the outermost, or of one nested in it. */
interface Scope {
  /** Names of the models around, each with a "/" behind it. */
  readonly path: string;
  readonly trainable: boolean;
  /** Names of values by id of tfjs's symbolic tensor. */
  readonly values: Map<number, string>;
}

/** The name of the value that a symbolic tensor stands for, imported with all it depends on. */
function valueNameOf(tensor: tf.SymbolicTensor, scope: Scope, walk: Walk): string {
  const known = scope.values.get(tensor.id);
  if (known !== undefined) return known;
  const layer = tensor.sourceLayer;
  const node = layer.inboundNodes[tensor.nodeIndex];
  const inputs = node.inputTensors.map((input) => valueNameOf(input, scope, walk));
  const outputs =
    layer instanceof tf.LayersModel
      ? importNested(layer, inputs, scope, walk)
      : importUse(
          layer,
          inputs,
          node.outputTensors.map(({ shape }) => shape),
          scope,
          walk,
        );
  node.outputTensors.forEach((output, i) => {
    scope.values.set(output.id, outputs[i]);
  });
  return outputs[tensor.outputTensorIndex ?? 0];
}

function importNested(model: tf.LayersModel, inputs: readonly string[], scope: Scope, walk: Walk): readonly string[] {
  const inner: Scope = {
    path: `${scope.path}${model.name}/`,
    trainable: scope.trainable && model.trainable,
    values: new Map(model.inputs.map((input, i) => [input.id, inputs[i]])),
  };
  return model.outputs.map((output) => valueNameOf(output, inner, walk));
}

function importUse(
  layer: tf.layers.Layer,
  inputs: readonly string[],
  outputShapes: readonly ValueShape[],
  scope: Scope,
  walk: Walk,
): readonly string[] {
  const { builder } = walk;
  const met = walk.layers.get(layer) ?? meetLayer(layer, scope, walk);
  return importLayer({ ...met, name: builder.freshName(met.source.id), inputs, outputShapes, builder });
}

function meetLayer(layer: tf.layers.Layer, scope: Scope, walk: Walk): MetLayer {
  const config = JSON.parse(JSON.stringify(layer.getConfig())) as JsonObject;
  const source = { id: scope.path + layer.name, name: layer.name, className: layer.getClassName(), config };
  const trainable = scope.trainable && layer.trainable;
  const met = { layer, source, trainable, weights: declareWeights(layer, source, walk) };
  walk.layers.set(layer, met);
  return met;
}

function declareWeights(layer: tf.layers.Layer, { id }: LayerSource, walk: Walk): ReadonlyMap<string, LayerWeight> {
  const declared = new Map<string, LayerWeight>();
  for (const variable of layer.weights) {
    const tensor = variable.read();
    const own = ownName(variable.originalName, layer.name);
    const name = `${id}/${own}`;
    const trainable = walk.trained.has(variable);
    walk.builder.weight(name, { shape: tensor.shape, trainable, layer: id });
    walk.weights.set(name, tensor);
    declared.set(own, { name, shape: tensor.shape });
  }
  return declared;
}

/** "kernel" of "conv1/kernel"; "forward_lstm/kernel", where it is named after a layer that was wrapped. */
function ownName(originalName: string, layer: string): string {
  const start = `/${originalName}`.lastIndexOf(`/${layer}/`);
  return start < 0 ? originalName : originalName.slice(start + layer.length + 1);
}
