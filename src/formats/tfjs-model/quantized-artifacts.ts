import { QuantError } from "../../core/errors.js";
import { bitsOf } from "../../core/grid.js";
import type { Shape } from "../../core/shape.js";
import type { QuantizedTensor } from "../../core/tensor.js";
import { dequantize } from "../../wasm/dequantize.js";
import type { Json, ModelArtifacts, WeightSpec } from "./artifacts.js";
import { freshName } from "./fresh-name.js";
import {
  isGraphTopology,
  nodesOf,
  quantizableGraphWeights,
  type ScaledConstant,
  scaleConstants,
} from "./graph-topology.js";
import {
  isLayersTopology,
  layersOf,
  quantizableLayersWeights,
  type ScaledLayer,
  scalableWeights,
  scaleAfterLayers,
  UNIT_VARIANCE,
} from "./layers-topology.js";
import type { QuantizableWeight } from "./quantizable.js";
import { floatWeight, joinWeights, type StoredWeight, splitWeights } from "./weight-data.js";

// How codes are stored so that stock tfjs reads them back, one byte each.
//
//   form       used for                            stored                                   exactness
//   affine     per-tensor parameters               uint8 q − qmin', scale S, min qmin'·S    weights bit for bit
//   scales     per channel, graph model            uint8 codes, float32 scales, a Mul node  weights bit for bit
//   normalize  per channel, layer of a layers      uint8 codes, scales as the gamma of a    codes and scales exact, outputs
//              model that is linear in its kernel  BatchNormalization behind the layer      within float32 rounding
//   float32    per channel, other layers           float32 values on the grid               weights bit for bit, no bytes saved
//
// tfjs decodes affine as fl(stored · S + qmin'·S), with the sum in float64: S has 24 bits and stored 8, so the sum is exact
// and its rounding is fl(q · S), our own dequantization.

/** How one weight is stored. */
export type StorageForm = "affine" | "scales" | "normalize" | "float32";

/** The layers of a layers model, or the nodes of a graph model, by name and kind. */
export function modelLayers({
  modelTopology,
}: ModelArtifacts): readonly { readonly name: string; readonly type: string }[] {
  if (isGraphTopology(modelTopology)) return nodesOf(modelTopology);
  return isLayersTopology(modelTopology) ? layersOf(modelTopology) : [];
}

/** Weights of a model that a quantizer may quantize. */
export function quantizableWeights(
  { modelTopology }: ModelArtifacts,
  weights: readonly { readonly spec: WeightSpec }[],
): QuantizableWeight[] {
  const floats = weights
    .map(({ spec }) => spec)
    .filter(({ dtype, group }) => dtype === "float32" && group !== "optimizer");
  if (isGraphTopology(modelTopology)) return quantizableGraphWeights(modelTopology, floats);
  if (isLayersTopology(modelTopology)) return quantizableLayersWeights(modelTopology, floats);
  throw new QuantError(
    "invalid-model",
    "tfjs model: expected a topology in Keras or GraphDef JSON, got neither; a binary GraphDef must be converted first",
  );
}

/** A topology and weights that go with it. */
interface StoredModel {
  readonly topology: Json;
  readonly weights: readonly StoredWeight[];
}

type Quantized = ReadonlyMap<string, QuantizedTensor>;
type Forms = ReadonlyMap<string, StorageForm>;

/**
 * How each quantized weight of a model is stored.
 *
 * @param roles the quantizableWeights of the model
 */
export function storageForms(
  { modelTopology }: ModelArtifacts,
  roles: readonly QuantizableWeight[],
  quantized: Quantized,
): Forms {
  const isPerChannel = (name: string): boolean => quantized.get(name)?.params.axis !== undefined;
  const perChannel = roles.filter(({ name }) => isPerChannel(name));
  const scalable = isGraphTopology(modelTopology) ? undefined : scalableWeights(modelTopology as Json, perChannel);
  const formOf = (name: string): StorageForm => {
    if (!isPerChannel(name)) return "affine";
    if (scalable === undefined) return "scales";
    return scalable.has(name) ? "normalize" : "float32";
  };
  return new Map([...quantized.keys()].map((name) => [name, formOf(name)]));
}

/** Bytes that a quantized weight takes with all that its form adds; a single scale counts as float32. */
export function storedBytes(form: StorageForm, { data, params }: QuantizedTensor): number {
  const channels = typeof params.scale === "number" ? 1 : params.scale.length;
  if (form === "float32") return 4 * data.length;
  return data.length + (form === "normalize" ? 6 : 4) * channels;
}

/**
 * Stores quantized weights in one byte each, in a model that stock tfjs loads.
 *
 * @param artifacts the model; its other weights pass through byte for byte, but for the optimizer's, which are left out:
 *   they belong to the float weights
 * @param quantized codes and parameters by weight name, per-channel parameters with the shapes of quantizableWeights
 *
 * Errors: QuantError `invalid-model` for a name that is not among quantizableWeights, `invalid-file` for weight data that
 * does not match its specs.
 */
export function quantizedArtifacts(artifacts: ModelArtifacts, quantized: Quantized): ModelArtifacts {
  const stored = splitWeights(artifacts).filter(({ spec }) => spec.group !== "optimizer");
  const roles = quantizableWeights(artifacts, stored);
  const names = new Set(roles.map(({ name }) => name));
  const unknown = [...quantized.keys()].find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new QuantError("invalid-model", `tfjs model: expected a quantizable weight named "${unknown}", got none`, {
      name: unknown,
    });
  }
  const topology = artifacts.modelTopology as Json;
  const forms = storageForms(artifacts, roles, quantized);
  const model = isGraphTopology(topology)
    ? storeGraph(topology, stored, quantized)
    : storeLayers(topology, stored, quantized, roles, forms);
  const summary = [...quantized].map(([name, { params }]) => {
    const { axis } = params;
    return [name, { bits: bitsOf(params), form: forms.get(name), ...(axis === undefined ? {} : { axis }) }];
  });
  return {
    ...artifacts,
    modelTopology: model.topology,
    ...joinWeights(model.weights),
    userDefinedMetadata: {
      ...artifacts.userDefinedMetadata,
      bitpress: { version: 1, weights: Object.fromEntries(summary) },
    },
  };
}

function storeGraph(topology: Json, stored: readonly StoredWeight[], quantized: Quantized): StoredModel {
  const constants: ScaledConstant[] = [];
  const taken = new Set((topology.node as readonly Json[]).map((node) => String(node?.name)));
  const weights = stored.flatMap((weight): StoredWeight[] => {
    const { name, shape } = weight.spec;
    const tensor = quantized.get(name);
    if (tensor === undefined) return [weight];
    if (tensor.params.axis === undefined) return [affineWeight(name, shape, tensor)];
    const constant = scaledConstant(name, shape, tensor, taken);
    constants.push(constant);
    return [
      codesWeight(constant.codes, shape, tensor),
      floatWeight(constant.scales, constant.scaleShape, tensor.params.scale as Float32Array),
    ];
  });
  return { topology: scaleConstants(topology, constants), weights };
}

function storeLayers(
  topology: Json,
  stored: readonly StoredWeight[],
  quantized: Quantized,
  roles: readonly QuantizableWeight[],
  forms: Forms,
): StoredModel {
  const layerOf = new Map(roles.map(({ name, layer }) => [name, layer.name]));
  const normalized = roles.filter(({ name }) => forms.get(name) === "normalize");
  const scaled = scaleAfterLayers(topology, new Set(normalized.map(({ layer }) => layer.name)));
  const weights = stored.flatMap((weight): StoredWeight[] => {
    const { name, shape } = weight.spec;
    const tensor = quantized.get(name);
    if (tensor === undefined) return [moveBias(weight, scaled.layers)];
    const form = forms.get(name);
    if (form === "affine") return [affineWeight(name, shape, tensor)];
    if (form === "float32") return [floatWeight(name, shape, dequantize(tensor.data, tensor.params, tensor))];
    const { scale } = scaled.layers.get(layerOf.get(name) as string) as ScaledLayer;
    return [codesWeight(name, shape, tensor), ...normalization(scale, tensor.params.scale as Float32Array)];
  });
  return { topology: scaled.topology, weights };
}

/** Codes as uint8 with parameters under which tfjs reads fl(q · scale). */
function affineWeight(name: string, shape: readonly number[], { data, params }: QuantizedTensor): StoredWeight {
  const scale = Math.fround(params.scale as number);
  return byteWeight(name, shape, data, params.qmin, scale, params.qmin * scale);
}

/** Codes as uint8 that tfjs reads as the integers themselves. */
function codesWeight(name: string, shape: readonly number[], { data, params }: QuantizedTensor): StoredWeight {
  return byteWeight(name, shape, data, params.qmin, 1, params.qmin);
}

function byteWeight(
  name: string,
  shape: readonly number[],
  codes: ArrayLike<number>,
  lowest: number,
  scale: number,
  min: number,
): StoredWeight {
  const bytes = Uint8Array.from({ length: codes.length }, (_, i) => codes[i] - lowest);
  return { spec: { name, shape, dtype: "float32", quantization: { dtype: "uint8", scale, min } }, bytes };
}

/** The weights of a normalization named `scale` that multiplies by `scales`, but for its beta. */
function normalization(scale: string, scales: Float32Array): StoredWeight[] {
  const shape = [scales.length];
  const zeros = new Uint8Array(scales.length);
  return [
    floatWeight(`${scale}/gamma`, shape, scales),
    byteWeight(`${scale}/moving_mean`, shape, zeros, 0, 1, 0),
    byteWeight(`${scale}/moving_variance`, shape, zeros, 0, 1, UNIT_VARIANCE),
  ];
}

/** The bias of a layer that got a normalization behind it becomes that normalization's beta. */
function moveBias(weight: StoredWeight, layers: ReadonlyMap<string, ScaledLayer>): StoredWeight {
  const [, layer] = /^(.*)\/bias$/.exec(weight.spec.name) ?? [];
  const scaled = layer === undefined ? undefined : layers.get(layer);
  if (scaled === undefined) return weight;
  return { ...weight, spec: { ...weight.spec, name: `${scaled.scale}/beta` } };
}

function scaledConstant(
  name: string,
  shape: Shape,
  { shape: view, params }: QuantizedTensor,
  taken: Set<string>,
): ScaledConstant {
  // A depthwise kernel's channels are its last two axes, which its view joins.
  const scaleShape =
    view[2] === shape[2] ? shape.map((dim, axis) => (axis === params.axis ? dim : 1)) : [1, 1, shape[2], shape[3]];
  return { name, codes: freshName(`${name}/codes`, taken), scales: freshName(`${name}/scales`, taken), scaleShape };
}
