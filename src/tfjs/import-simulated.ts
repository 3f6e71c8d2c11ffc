import type { GraphNode, WeightedNode } from "../graph/types.js";
import type { LayerUse } from "./layer-use.js";
import { BatchNormLayer } from "./simulated/batch-norm-layer.js";
import { ClipLayer } from "./simulated/clip-layer.js";
import { DorefaLayer } from "./simulated/dorefa-layer.js";
import { EdgeLayer } from "./simulated/edge-layer.js";
import { OpLayer } from "./simulated/op-layer.js";
import { ParamsLayer } from "./simulated/params-layer.js";
import { RoundingLayer } from "./simulated/rounding-layer.js";
import { WeightedLayer } from "./simulated/weighted-layer.js";

/**
 * Nodes and quantizers from the library's own layers, whose configuration holds them: nothing is guessed.
 *
 * Undefined for any other layer.
 */
export function importSimulated(use: LayerUse): { readonly value: string } | undefined {
  const { layer, builder, inputs } = use;
  if (layer instanceof ParamsLayer) return { value: inputs[0] };
  if (layer instanceof EdgeLayer || layer instanceof ClipLayer) {
    builder.quantize(inputs[0], layer.config.quantizer);
    return { value: inputs[0] };
  }
  if (layer instanceof RoundingLayer) {
    builder.quantize(inputs[0], { like: inputs[1] });
    return { value: inputs[0] };
  }
  if (layer instanceof WeightedLayer || layer instanceof DorefaLayer) {
    return { value: builder.add(weightedNode(use, layer.config.node)) };
  }
  if (layer instanceof BatchNormLayer) {
    const { node } = layer.config;
    return { value: builder.add({ ...node, ...placed(use, node), ...momentNames(use) }) };
  }
  if (layer instanceof OpLayer) {
    const { node } = layer.config;
    return { value: builder.add({ ...node, ...placed(use, node), inputs }) };
  }
  return undefined;
}

/** Where a use of a layer stands. Its value has the name that it had in the graph which the model was made from. */
function placed({ name, source, inputs, builder }: LayerUse, node: GraphNode) {
  const [output] = node.outputs;
  const path = source.id.slice(0, source.id.length - source.name.length);
  const value = output === node.name ? name : builder.freshValue(path + output);
  return { name, inputs: inputs.slice(0, 1), outputs: [value] };
}

function weightedNode(use: LayerUse, node: WeightedNode): WeightedNode {
  const { batchNorm } = node;
  return {
    ...node,
    ...placed(use, node),
    weights: nameOf(use, node.op === "depthwiseConv2d" ? "depthwise_kernel" : "kernel"),
    ...(node.bias !== undefined && { bias: nameOf(use, "bias") }),
    ...(batchNorm !== undefined && { batchNorm: { ...batchNorm, ...momentNames(use) } }),
  };
}

/** The names that the moments' variables, and those of gamma and beta where there are any, have here. */
function momentNames({ weights }: LayerUse) {
  const gamma = weights.get("gamma")?.name;
  const beta = weights.get("beta")?.name;
  return {
    ...(gamma !== undefined && { gamma }),
    ...(beta !== undefined && { beta }),
    mean: weights.get("moving_mean")?.name as string,
    variance: weights.get("moving_variance")?.name as string,
  };
}

function nameOf({ weights }: LayerUse, role: string): string {
  return weights.get(role)?.name as string;
}
