import type * as tf from "@tensorflow/tfjs";
import { idleSchedule } from "../quantizers/qat.js";
import { importLayersModel } from "./import-layers-model.js";
import { buildModel } from "./simulated/build-model.js";
import { prepareGraph } from "./simulated/prepare-graph.js";

/**
 * An equivalent float model of the library's fast layers, for training; the given model is untouched.
 *
 * It has the same inputs, outputs and weights, computes the same to float32 rounding, and trains several times faster on the tfjs
 * wasm backend. Batch norms and activations move into the layer before them; layers that the library does not know stay stock.
 * The model comes back uncompiled.
 *
 * Errors: TypeError for anything but a tf.LayersModel; QuantError `unsupported` for a layer whose class is not registered.
 */
export function accelerate(model: tf.LayersModel): tf.LayersModel {
  const { graph, weights } = importLayersModel(model);
  return buildModel(prepareGraph(graph), weights, idleSchedule());
}
