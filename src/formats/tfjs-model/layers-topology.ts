import type { Shape } from "../../core/shape.js";
import { isJson, type Json } from "./artifacts.js";
import { freshName } from "./fresh-name.js";
import { depthwiseView, type QuantizableWeight } from "./quantizable.js";

// Keras JSON of a layers model: which weights belong to which layer, and how scales are put behind a layer.

/** Whether a topology is Keras JSON (with or without the wrapper that Python writes). */
export function isLayersTopology(topology: unknown): topology is Json {
  return isJson(topology) && (isJson(topology.model_config) || "class_name" in topology);
}

/** A layer of a model, at any depth. */
interface Layer {
  readonly name: string;
  /** Its class; for a wrapper that of the layer inside, whose weights may go by the wrapper's name. */
  readonly type: string;
  readonly config: Json;
  /** Whether it is a wrapper or inside one, so that nothing can be put behind it. */
  readonly wrapped: boolean;
}

/** Every layer of a model, those of nested models and inside wrappers included. */
export function layersOf(topology: Json): Layer[] {
  const layers: Layer[] = [];
  const visit = (layer: Json, wrapped: boolean): void => {
    const inner = innerLayers(layer);
    const within = wrapped || isWrapper(layer);
    const type = typeOf(layer);
    const add = (name: string | undefined): void => {
      if (name === undefined || typeof type !== "string") return;
      layers.push({ name, type, config: isJson(layer.config) ? layer.config : {}, wrapped: within });
    };
    add(nameOf(layer));
    if (layer.class_name === "Bidirectional") {
      // It names its two copies after the layer it wraps.
      for (const side of ["forward", "backward"]) add(`${side}_${nameOf(inner[0])}`);
    }
    for (const child of inner) visit(child, within);
  };
  visit(modelOf(topology), false);
  return layers;
}

/**
 * The weights of rank ≥ 2 of layers with weights: kernels, embeddings, recurrent kernels.
 *
 * Biases and normalization stay, whatever their rank (a LayerNormalization over two axes has rank 2).
 */
export function quantizableLayersWeights(
  topology: Json,
  weights: readonly { readonly name: string; readonly shape: Shape }[],
): QuantizableWeight[] {
  const layers = layersOf(topology);
  return weights.flatMap(({ name, shape }): QuantizableWeight[] => {
    if (shape.length < 2 || name.endsWith("/bias")) return [];
    const layer = ownerOf(name, layers);
    if (layer === undefined || layer.type.endsWith("Normalization")) return [];
    const { type } = layer;
    return [{ name, layer: { name: layer.name, type }, ...channelsOf(type, name, shape) }];
  });
}

/** The layer a weight belongs to: the innermost of those in the weight's path, the one with the longest name among equals. */
function ownerOf(weight: string, layers: readonly Layer[]): Layer | undefined {
  let owner: Layer | undefined;
  let innermost = 0;
  for (const layer of layers) {
    const start = `/${weight}`.lastIndexOf(`/${layer.name}/`);
    if (start < 0) continue;
    const end = start + layer.name.length;
    const longer = end === innermost && layer.name.length > (owner?.name.length ?? 0);
    if (end > innermost || longer) {
      owner = layer;
      innermost = end;
    }
  }
  return owner;
}

/** Where the output channels of a kernel are, in tfjs's layouts. */
function channelsOf(type: string, name: string, shape: Shape): { viewShape: Shape; axis: number } {
  if (shape.length === 4 && name.endsWith("/depthwise_kernel")) return { viewShape: depthwiseView(shape), axis: 3 };
  if (type.endsWith("Transpose")) return { viewShape: shape, axis: shape.length - 2 };
  return { viewShape: shape, axis: shape.length - 1 };
}

/**
 * The weight of each layer type whose output is linear in it, channel by channel, so that scales can follow the layer.
 *
 * The scales are carried by a BatchNormalization, which stock tfjs has for ranks 2 to 4 only: Conv3D is not among them.
 */
const SCALABLE: Readonly<Record<string, string>> = {
  Conv1D: "kernel",
  Conv2D: "kernel",
  Conv2DTranspose: "kernel",
  DepthwiseConv2D: "depthwise_kernel",
  Dense: "kernel",
  Embedding: "embeddings",
};

function isScalable({ class_name: type }: Json): boolean {
  return typeof type === "string" && Object.hasOwn(SCALABLE, type);
}

/**
 * The weights whose layers can get scales behind them.
 *
 * Not those of layers in wrappers; not with channels first, where stock BatchNormalization is wrong on tfjs's cpu and wasm
 * backends; not Dense and Embedding in a model that may feed them more than 4 dimensions.
 */
export function scalableWeights(topology: Json, weights: readonly QuantizableWeight[]): Set<string> {
  const layers = layersOf(topology);
  const deep = highestRank(modelOf(topology)) > 4;
  const scalable = weights.filter(({ name, layer: { name: layerName, type } }) => {
    const layer = layers.find((candidate) => candidate.name === layerName && candidate.type === type);
    if (layer === undefined || layer.wrapped || layer.config.data_format === "channels_first") return false;
    if (deep && (type === "Dense" || type === "Embedding")) return false;
    return name === `${layerName}/${SCALABLE[type]}`;
  });
  return new Set(scalable.map(({ name }) => name));
}

/**
 * The most dimensions that an input, a Reshape or an Embedding of a model declares, batch included.
 *
 * @param leading dimensions before those of a Reshape: the batch, and one per wrapper around it
 */
function highestRank(layer: Json, leading = 1): number {
  const config = isJson(layer.config) ? layer.config : {};
  const { batch_input_shape: input, target_shape: target } = config;
  const embedded = layer.class_name === "Embedding" ? 1 : 0;
  const inside = isWrapper(layer) ? leading + 1 : leading;
  return Math.max(
    Array.isArray(input) ? leading - 1 + input.length + embedded : 0,
    Array.isArray(target) ? leading + target.length : 0,
    ...innerLayers(layer).map((inner) => highestRank(inner, inside)),
  );
}

// 2^-10: variance 1 − 2^-10 plus epsilon is exactly 1 in float32, so the normalization multiplies by gamma alone.
const EPSILON = 2 ** -10;

/** A layer that got its scales behind it. */
export interface ScaledLayer {
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
): { topology: Json; layers: ReadonlyMap<string, ScaledLayer> } {
  const taken = new Set(layersOf(topology).map(({ name }) => name));
  const scaled = new Map<string, Plan>();
  const rewrite = (model: Json): Json => {
    const layers = innerLayers(model);
    const plans = new Map<string, Plan>();
    for (const layer of layers) {
      const name = nameOf(layer);
      if (name !== undefined && names.has(name) && isScalable(layer)) plans.set(name, planOf(name, layer, taken));
    }
    for (const [name, plan] of plans) scaled.set(name, plan);
    const rewritten = layers.flatMap((layer) => {
      const linked = relinkLayer(isModel(layer) ? rewrite(layer) : layer, plans);
      const plan = plans.get(nameOf(layer) ?? "");
      return plan === undefined ? [linked] : partsOf(linked, plan);
    });
    const { config } = model;
    if (!isJson(config)) return { ...model, config: rewritten };
    const outputs = Array.isArray(config.output_layers) ? { output_layers: relink(config.output_layers, plans) } : {};
    return { ...model, config: { ...config, layers: rewritten, ...outputs } };
  };
  const model = rewrite(modelOf(topology));
  return { topology: isJson(topology.model_config) ? { ...topology, model_config: model } : model, layers: scaled };
}

interface Plan extends ScaledLayer {
  readonly layer: string;
  /** Name of the Activation layer at the end, unless the layer is linear. */
  readonly activation: string | undefined;
}

type Plans = ReadonlyMap<string, Plan>;

function planOf(name: string, layer: Json, taken: Set<string>): Plan {
  const { use_bias, activation } = layer.config as Json;
  const linear = activation === undefined || activation === null || activation === "linear";
  return {
    layer: name,
    scale: freshName(`${name}_scale`, taken),
    // As stock tfjs reads it: the default where nothing is said, else by truth, so 0 and "" are false.
    useBias: layer.class_name !== "Embedding" && (use_bias === undefined || use_bias === null || Boolean(use_bias)),
    activation: linear ? undefined : freshName(`${name}_activation`, taken),
  };
}

function partsOf(layer: Json, { layer: name, scale, useBias, activation }: Plan): Json[] {
  const config = layer.config as Json;
  const parts: Json[] = [
    {
      ...layer,
      config: layer.class_name === "Embedding" ? config : { ...config, use_bias: false, activation: "linear" },
    },
    after(layer, name, "BatchNormalization", {
      name: scale,
      trainable: false,
      axis: -1,
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

function modelOf(topology: Json): Json {
  return isJson(topology.model_config) ? topology.model_config : topology;
}

/** A layer's name; a Sequential that is a list of layers has it outside its config. Undefined for what is no layer. */
function nameOf({ name: outside, config }: Json): string | undefined {
  const name = isJson(config) ? config.name : Array.isArray(config) ? outside : undefined;
  return typeof name === "string" ? name : undefined;
}

function isModel(layer: Json): boolean {
  return Array.isArray(layer.config) || (isJson(layer.config) && Array.isArray(layer.config.layers));
}

/** The class of a layer, or of the layer inside a wrapper. */
function typeOf(layer: Json): unknown {
  return isWrapper(layer) ? typeOf(innerLayers(layer)[0]) : layer.class_name;
}

/** Whether a layer is applied through another (TimeDistributed, Bidirectional). */
function isWrapper(layer: Json): boolean {
  return !isModel(layer) && innerLayers(layer).length > 0;
}

/** Layers directly inside a model or a wrapper (TimeDistributed, Bidirectional). */
function innerLayers({ config }: Json): Json[] {
  if (Array.isArray(config)) return config.filter(isJson);
  if (!isJson(config)) return [];
  if (Array.isArray(config.layers)) return config.layers.filter(isJson);
  return isJson(config.layer) ? [config.layer] : [];
}
