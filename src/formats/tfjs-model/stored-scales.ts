import { type Shape, sizeOf } from "../../core/shape.js";
import { isJson, type ModelArtifacts } from "./artifacts.js";
import { isGraphTopology } from "./graph-topology.js";
import { isLayersTopology, layersOf } from "./layers-topology.js";
import { depthwiseView, type QuantizableWeight } from "./quantizable.js";
import { quantizableWeights } from "./quantized-artifacts.js";
import { decodeFloats, type StoredWeight } from "./weight-data.js";

/** Scales that a model keeps away from the codes they belong to. */
export interface StoredScales {
  readonly scale: Float32Array;
  /** The shape whose `axis` is the channels. */
  readonly viewShape: Shape;
  readonly axis: number;
}

/** What a model's metadata says about its quantized weights. */
export interface StoredQuantization {
  /** Bits by name of the stored weight. */
  readonly bits: ReadonlyMap<string, number>;
  /** Scales by name of the stored weight, for the forms `scales` and `normalize` of quantizedArtifacts. */
  readonly scales: ReadonlyMap<string, StoredScales>;
}

/**
 * Finds the grids of a model that quantizedArtifacts wrote, from its metadata.
 *
 * What the metadata says and the model does not hold is left out: an edited model is read as any other.
 */
export function storedQuantization(artifacts: ModelArtifacts, weights: readonly StoredWeight[]): StoredQuantization {
  const bits = new Map<string, number>();
  const scales = new Map<string, StoredScales>();
  const roles = quantizableWeights(artifacts, weights);
  const byName = new Map(weights.map((weight) => [weight.spec.name, weight]));
  for (const [name, entry] of Object.entries(metadataOf(artifacts))) {
    if (!isJson(entry) || typeof entry.bits !== "number") continue;
    if (entry.form === "affine" && isBytes(byName.get(name))) bits.set(name, entry.bits);
    const names = namesOf(artifacts, roles, name, entry.form);
    const codes = byName.get(names?.codes ?? "");
    const scale = byName.get(names?.scales ?? "");
    if (codes === undefined || !isBytes(codes)) continue;
    if (scale?.spec.dtype !== "float32" || typeof entry.axis !== "number") continue;
    const viewShape = viewOf(codes.spec.shape, entry.axis, sizeOf(scale.spec.shape));
    if (viewShape === undefined) continue;
    bits.set(codes.spec.name, entry.bits);
    scales.set(codes.spec.name, { scale: decodeFloats(scale), viewShape, axis: entry.axis });
  }
  return { bits, scales };
}

function isBytes(weight: StoredWeight | undefined): boolean {
  return weight?.spec.quantization?.dtype === "uint8";
}

function metadataOf({ userDefinedMetadata }: ModelArtifacts): object {
  const ours = isJson(userDefinedMetadata) ? userDefinedMetadata.bitpress : undefined;
  return isJson(ours) && isJson(ours.weights) ? ours.weights : {};
}

/** Names of the weights that hold the codes and the scales of a weight that was quantized per channel. */
function namesOf(
  { modelTopology }: ModelArtifacts,
  roles: readonly QuantizableWeight[],
  name: string,
  form: unknown,
): { codes: string; scales: string } | undefined {
  if (form === "scales" && isGraphTopology(modelTopology)) {
    const product = (modelTopology.node as readonly unknown[]).find((node) => isJson(node) && node.name === name);
    const inputs = isJson(product) && product.op === "Mul" && Array.isArray(product.input) ? product.input : [];
    return { codes: String(inputs[0]), scales: String(inputs[1]) };
  }
  if (form !== "normalize" || !isLayersTopology(modelTopology)) return undefined;
  const owner = roles.find((role) => role.name === name)?.layer.name;
  const layers = layersOf(modelTopology);
  // scaleAfterLayers puts the normalization right behind the layer.
  const next = layers[layers.findIndex((layer) => layer.name === owner) + 1];
  return next?.type === "BatchNormalization" ? { codes: name, scales: `${next.name}/gamma` } : undefined;
}

/** The shape in which `axis` has as many channels as there are scales: the weight's own, or a depthwise view. */
function viewOf(shape: Shape, axis: number, channels: number): Shape | undefined {
  if (shape[axis] === channels) return shape;
  const view = shape.length === 4 ? depthwiseView(shape) : shape;
  return view[axis] === channels ? view : undefined;
}
