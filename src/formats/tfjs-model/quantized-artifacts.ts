import { QuantError } from "../../core/errors.js";
import { bitsOf } from "../../core/grid.js";
import { sizeOf } from "../../core/shape.js";
import type { QuantizedTensor } from "../../core/tensor.js";
import { isJson, type Json, type ModelArtifacts, type WeightSpec } from "./artifacts.js";
import {
  isGraphTopology,
  nodesOf,
  quantizableGraphWeights,
  type ScaledConstant,
  scaleConstants,
} from "./graph-topology.js";
import {
  canScaleAfter,
  isLayersTopology,
  layersOf,
  quantizableLayersWeights,
  type ScaledLayer,
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

/** A model whose quantized weights are stored in one byte, and how each one is. */
export interface QuantizedArtifacts {
  readonly artifacts: ModelArtifacts;
  readonly forms: ReadonlyMap<string, StorageForm>;
}

/**
 * Stores quantized weights in one byte each, in a model that stock tfjs loads.
 *
 * @param artifacts the model; its other weights pass through byte for byte
 * @param quantized codes and parameters by weight name, per-channel parameters with the shapes of quantizableWeights
 */
export function quantizedArtifacts(
  artifacts: ModelArtifacts,
  quantized: ReadonlyMap<string, QuantizedTensor>,
): QuantizedArtifacts {
  const stored = splitWeights(artifacts);
  const topology = artifacts.modelTopology as Json;
  const roles = new Map(quantizableWeights(artifacts, stored).map((role) => [role.name, role]));
  const forms = new Map<string, StorageForm>();
  for (const [name, { params }] of quantized) {
    const role = roles.get(name);
    if (role === undefined) {
      throw new QuantError("invalid-model", `tfjs model: expected a quantizable weight named "${name}", got none`, {
        name,
      });
    }
    if (params.axis === undefined) forms.set(name, "affine");
    else if (isGraphTopology(topology)) forms.set(name, "scales");
    else forms.set(name, canScaleAfter(role, topology) ? "normalize" : "float32");
  }
  const named = (form: StorageForm): string[] => [...forms].filter(([, f]) => f === form).map(([name]) => name);
  const constants = named("scales").map((name) => scaledConstant(name, quantized.get(name) as QuantizedTensor, stored));
  const layerNames = new Set(named("normalize").map((name) => (roles.get(name) as QuantizableWeight).layer.name));
  const scaled = layerNames.size > 0 ? scaleAfterLayers(topology, layerNames) : { topology, layers: [] };
  const scaledLayers = new Map(scaled.layers.map((layer) => [layer.layer, layer]));
  const weights = stored.flatMap((weight): StoredWeight[] => {
    const { name, shape } = weight.spec;
    const tensor = quantized.get(name);
    const form = forms.get(name);
    if (tensor === undefined || form === undefined || form === "float32") return [moveBias(weight, scaledLayers)];
    if (form === "affine") return [affineWeight(name, shape, tensor)];
    const scales = tensor.params.scale as Float32Array;
    if (form === "scales") {
      const { codes, scales: scalesName, scaleShape } = constants.find((c) => c.name === name) as ScaledConstant;
      return [codesWeight(codes, shape, tensor), floatWeight(scalesName, scaleShape, scales)];
    }
    const layer = scaledLayers.get((roles.get(name) as QuantizableWeight).layer.name) as ScaledLayer;
    return [codesWeight(name, shape, tensor), ...normalization(layer, scales)];
  });
  const summary = {
    version: 1,
    weights: Object.fromEntries(
      [...quantized].map(([name, { params }]) => [
        name,
        { bits: bitsOf(params), form: forms.get(name), ...(params.axis === undefined ? {} : { axis: params.axis }) },
      ]),
    ),
  };
  return {
    artifacts: {
      ...artifacts,
      modelTopology: constants.length > 0 ? scaleConstants(topology, constants) : scaled.topology,
      ...joinWeights(weights),
      userDefinedMetadata: {
        ...(isJson(artifacts.userDefinedMetadata) ? artifacts.userDefinedMetadata : {}),
        bitpress: summary,
      },
    },
    forms,
  };
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

function normalization({ scale }: ScaledLayer, scales: Float32Array): StoredWeight[] {
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
  { shape: viewShape, params }: QuantizedTensor,
  stored: readonly StoredWeight[],
): ScaledConstant {
  const { shape } = (stored.find(({ spec }) => spec.name === name) as StoredWeight).spec;
  const depthwise = sizeOf(viewShape.slice(-1)) !== shape.at(-1) && viewShape.length === 4;
  const scaleShape = depthwise
    ? [1, 1, shape[2], shape[3]]
    : shape.map((dim, axis) => (axis === params.axis ? dim : 1));
  return { name, codes: `${name}/codes`, scales: `${name}/scales`, scaleShape };
}
