import { nodeBase } from "../graph/build.js";
import type { GraphNode } from "../graph/types.js";
import type { Imported, LayerUse } from "./layer-use.js";

/** tfjs's names of the activations that are ops of the graph. */
const OPS = {
  linear: "identity",
  relu: "relu",
  relu6: "relu6",
  sigmoid: "sigmoid",
  tanh: "tanh",
  softmax: "softmax",
} as const;

/** Adds an activation function; one that is no op becomes an opaque Activation layer. Returns `output`. */
function addActivation(use: LayerUse, activation: string, name: string, input: string, output: string): string {
  const base = nodeBase(name, use.source, [input], output);
  if (Object.hasOwn(OPS, activation)) {
    return use.builder.add({ ...base, op: OPS[activation as keyof typeof OPS] });
  }
  const opaque: GraphNode = {
    ...base,
    op: "opaque",
    className: "Activation",
    config: { name, activation },
    weights: [],
    reason: `activation ${activation}`,
    trainable: use.trainable,
  };
  return use.builder.add(opaque, [use.builder.shapeOf(input)]);
}

/**
 * Adds what a layer computes and the activation inside the layer behind it: `add` gives the value named to it, and the
 * activation of that gives `output`.
 */
export function withActivation(
  use: LayerUse,
  activation: string,
  output: string,
  add: (output: string) => string,
): string {
  if (activation === "linear") return add(output);
  const { builder, name } = use;
  const before = add(builder.freshName(`${name}/linear`));
  return addActivation(use, activation, builder.freshName(`${name}/${activation}`), before, output);
}

/** Activation: the function by name. */
export function importActivation(use: LayerUse): Imported {
  const { activation } = use.source.config as { readonly activation: string };
  return { value: addActivation(use, activation, use.name, use.inputs[0], use.name) };
}

/** ReLU without a maximum, or with that of ReLU6. */
export function importReLU(use: LayerUse): Imported {
  const { maxValue } = use.source.config as { readonly maxValue?: number | null };
  if (maxValue !== undefined && maxValue !== null && maxValue !== 6) return { reason: `maxValue ${maxValue}` };
  const op = maxValue === 6 ? "relu6" : "relu";
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op }) };
}

export function importLeakyReLU(use: LayerUse): Imported {
  const { alpha } = use.source.config as { readonly alpha: number };
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "leakyRelu", alpha }) };
}

/** Softmax over the last axis; tfjs's own default is axis 1. */
export function importSoftmax(use: LayerUse): Imported {
  const { axis } = use.source.config as { readonly axis: number | readonly number[] };
  const last = use.builder.shapeOf(use.inputs[0]).length - 1;
  const axes = [axis].flat();
  if (axes.length !== 1 || (axes[0] !== last && axes[0] !== -1)) return { reason: `axis ${axes.join(", ")}` };
  return { value: use.builder.add({ ...nodeBase(use.name, use.source, use.inputs), op: "softmax" }) };
}
