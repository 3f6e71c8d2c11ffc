import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import type { Graph } from "../graph/types.js";
import { ClipLayer } from "./simulated/clip-layer.js";
import { EdgeLayer } from "./simulated/edge-layer.js";

/**
 * The layers that quantize values of a simulated model's graph, or observe their ranges, by value.
 *
 * @param where begins the message of errors
 * @param graph made from the model by importLayersModel
 *
 * Errors: QuantError `invalid-model` for a model without any.
 */
export function edgesOf(
  where: string,
  model: tf.LayersModel,
  { quantizers }: Graph,
): ReadonlyMap<string, EdgeLayer | ClipLayer> {
  // The import hands on the very objects of the layers' configuration.
  const layers = new Map(edgeLayers(model).map((layer) => [layer.config.quantizer as unknown, layer] as const));
  if (Object.keys(quantizers).length === 0) {
    throw new QuantError(
      "invalid-model",
      `${where}: expected a model with quantized activations, made by QATQuantizer.compress or DoReFaQuantizer.compress, got one without`,
    );
  }
  const edges = new Map<string, EdgeLayer | ClipLayer>();
  for (const [value, quantizer] of Object.entries(quantizers)) {
    const edge = layers.get(quantizer);
    if (edge !== undefined) edges.set(value, edge);
  }
  return edges;
}

function edgeLayers({ layers }: tf.LayersModel): (EdgeLayer | ClipLayer)[] {
  return layers.flatMap((layer) => {
    if (layer instanceof tf.LayersModel) return edgeLayers(layer);
    return layer instanceof EdgeLayer || layer instanceof ClipLayer ? [layer] : [];
  });
}
