import type { Shape } from "../../core/shape.js";
import { isJson, type Json } from "./artifacts.js";
import { depthwiseView, type QuantizableWeight } from "./quantizable.js";

// Keras JSON of a layers model: which weights belong to which layer, and how scales are put behind a layer.

/** Whether a topology is Keras JSON (with or without the wrapper that Python writes). */
export function isLayersTopology(topology: unknown): topology is Json {
  return isJson(topology) && (isJson(topology.model_config) || "class_name" in topology);
}

/** Every layer of a model, those of nested models and inside wrappers included. */
export function layersOf(topology: Json): { readonly name: string; readonly type: string }[] {
  const layers: { name: string; type: string }[] = [];
  const visit = (layer: Json): void => {
    const name = nameOf(layer);
    const type = layer.class_name;
    if (name !== undefined && typeof type === "string") layers.push({ name, type });
    for (const inner of innerLayers(layer)) {
      visit(inner);
      // Bidirectional names the weights of its two copies after the layer it wraps.
      if (type !== "Bidirectional" || typeof inner.class_name !== "string") continue;
      for (const side of ["forward", "backward"])
        layers.push({ name: `${side}_${nameOf(inner)}`, type: inner.class_name });
    }
  };
  visit(modelOf(topology));
  return layers;
}

/**
 * The weights of rank ≥ 2 of layers with weights: kernels, embeddings, recurrent kernels.
 *
 * A weight belongs to the layer whose name is the longest prefix of its own. Normalization weights have rank 1 and stay.
 */
export function quantizableLayersWeights(
  topology: Json,
  weights: readonly { readonly name: string; readonly shape: Shape }[],
): QuantizableWeight[] {
  const layers = layersOf(topology);
  const found: QuantizableWeight[] = [];
  for (const { name, shape } of weights) {
    if (shape.length < 2) continue;
    const owner = layers
      .filter((layer) => name.startsWith(`${layer.name}/`))
      .reduce<(typeof layers)[number] | undefined>((a, b) => (a && a.name.length > b.name.length ? a : b), undefined);
    if (owner === undefined) continue;
    found.push({ name, layer: owner, ...channelsOf(owner.type, name, shape) });
  }
  return found;
}

/** Where the output channels of a kernel are, in tfjs's layouts. */
function channelsOf(type: string, name: string, shape: Shape): { viewShape: Shape; axis: number } {
  if (shape.length === 4 && name.endsWith("/depthwise_kernel")) return { viewShape: depthwiseView(shape), axis: 3 };
  if (type.endsWith("Transpose")) return { viewShape: shape, axis: shape.length - 2 };
  return { viewShape: shape, axis: shape.length - 1 };
}

/** Layer types whose output is a linear function of their kernel, channel by channel, so that scales can follow. */
const SCALABLE = new Set([
  "Conv1D",
  "Conv2D",
  "Conv3D",
  "Conv2DTranspose",
  "Conv3DTranspose",
  "DepthwiseConv2D",
  "Dense",
  "Embedding",
]);

/** Whether scales can be put behind the layer that owns a weight. */
export function canScaleAfter({ name, layer }: QuantizableWeight, topology: Json): boolean {
  const kernel = name.endsWith("/kernel") || name.endsWith("/depthwise_kernel") || name.endsWith("/embeddings");
  return kernel && SCALABLE.has(layer.type) && !isWrapped(layer.name, topology);
}

// 2^-10: variance 1 − 2^-10 plus epsilon is exactly 1 in float32, so the normalization multiplies by gamma alone.
const EPSILON = 2 ** -10;

/** A layer that got its scales behind it. */
export interface ScaledLayer {
  readonly layer: string;
  /** Name of the BatchNormalization that carries the scales. */
  readonly scale: string;
  readonly useBias: boolean;
}

/** The variance that makes the inserted normalization a multiplication by gamma. */
export const UNIT_VARIANCE = 1 - EPSILON;

/**
 * Puts a BatchNormalization behind each named layer, to carry per-channel scales (gamma) and the layer's bias (beta).
 *
 *     activation(conv(x, ŵ) + b)  →  activation(conv(x, q) · S + b)
 *
 * The layer loses its bias and its activation, which follow in layers of their own. Returns a new topology.
 */
export function scaleAfterLayers(
  topology: Json,
  names: ReadonlySet<string>,
): { topology: Json; layers: ScaledLayer[] } {
  const taken = new Set(layersOf(topology).map(({ name }) => name));
  const scaled: ScaledLayer[] = [];
  const rewrite = (model: Json): Json => {
    const { config } = model;
    const layers = innerLayers(model);
    const plans = new Map(
      layers.filter((layer) => names.has(nameOf(layer) ?? "")).map((layer) => [nameOf(layer), planOf(layer, taken)]),
    );
    scaled.push(...plans.values());
    const rewritten = layers.flatMap((layer) => {
      const linked = relinkLayer(isModel(layer) ? rewrite(layer) : layer, plans);
      const plan = plans.get(nameOf(layer));
      return plan === undefined ? [linked] : partsOf(linked, plan);
    });
    if (!isJson(config)) return { ...model, config: rewritten };
    const outputs = config.output_layers;
    return {
      ...model,
      config: {
        ...config,
        layers: rewritten,
        ...(Array.isArray(outputs) ? { output_layers: relink(outputs, plans) } : {}),
      },
    };
  };
  const model = rewrite(modelOf(topology));
  return { topology: isJson(topology.model_config) ? { ...topology, model_config: model } : model, layers: scaled };
}

interface Plan extends ScaledLayer {
  /** Name of the Activation layer at the end, unless the layer is linear. */
  readonly activation: string | undefined;
}

type Plans = ReadonlyMap<string | undefined, Plan>;

function planOf(layer: Json, taken: Set<string>): Plan {
  const name = nameOf(layer) as string;
  const { use_bias, activation } = layer.config as Json;
  const linear = activation === undefined || activation === null || activation === "linear";
  return {
    layer: name,
    scale: fresh(`${name}_scale`, taken),
    useBias: use_bias === true,
    activation: linear ? undefined : fresh(`${name}_activation`, taken),
  };
}

function partsOf(layer: Json, { layer: name, scale, useBias, activation }: Plan): Json[] {
  const config = layer.config as Json;
  const parts: Json[] = [
    { ...layer, config: { ...config, ...("use_bias" in config ? { use_bias: false, activation: "linear" } : {}) } },
    after(layer, name, "BatchNormalization", {
      name: scale,
      trainable: false,
      axis: config.data_format === "channels_first" ? 1 : -1,
      momentum: 0.99,
      epsilon: EPSILON,
      center: useBias,
      scale: true,
    }),
  ];
  if (activation === undefined) return parts;
  return [
    ...parts,
    after(layer, scale, "Activation", { name: activation, trainable: true, activation: config.activation }),
  ];
}

/** A layer that reads every output node of the one named `before`. */
function after(original: Json, before: string, className: string, config: Json): Json {
  const nodes = original.inbound_nodes;
  if (!Array.isArray(nodes)) return { class_name: className, config };
  const inbound = nodes.map((_, index) => [[before, index, 0, {}]]);
  return { class_name: className, name: config.name, config, inbound_nodes: inbound };
}

function relinkLayer(layer: Json, plans: Plans): Json {
  return Array.isArray(layer.inbound_nodes) ? { ...layer, inbound_nodes: relink(layer.inbound_nodes, plans) } : layer;
}

/** Replaces references [layer, node, tensor, …], at any depth of lists, by references to the last part of the layer. */
function relink(references: readonly unknown[], plans: Plans): unknown[] {
  const [first, ...rest] = references;
  if (typeof first !== "string") {
    return references.map((reference) => (Array.isArray(reference) ? relink(reference, plans) : reference));
  }
  const plan = plans.get(first);
  return [plan === undefined ? first : (plan.activation ?? plan.scale), ...rest];
}

function fresh(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let i = 1; taken.has(candidate); i++) candidate = `${name}_${i}`;
  taken.add(candidate);
  return candidate;
}

function modelOf(topology: Json): Json {
  return isJson(topology.model_config) ? topology.model_config : topology;
}

function nameOf(layer: Json): string | undefined {
  const name = isJson(layer.config) ? layer.config.name : layer.name;
  return typeof name === "string" ? name : undefined;
}

function isModel(layer: Json): boolean {
  return Array.isArray(layer.config) || (isJson(layer.config) && Array.isArray(layer.config.layers));
}

/** Layers directly inside a model or a wrapper (TimeDistributed, Bidirectional). */
function innerLayers({ config }: Json): Json[] {
  if (Array.isArray(config)) return config.filter(isJson);
  if (!isJson(config)) return [];
  if (Array.isArray(config.layers)) return config.layers.filter(isJson);
  return isJson(config.layer) ? [config.layer] : [];
}

function isWrapped(name: string, topology: Json): boolean {
  const visit = (layer: Json): boolean =>
    innerLayers(layer).some((inner) => (!isModel(layer) && nameOf(inner) === name) || visit(inner));
  return visit(modelOf(topology));
}
