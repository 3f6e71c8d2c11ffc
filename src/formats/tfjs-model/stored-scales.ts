import { type Shape, sizeOf } from "../../core/shape.js";
import { isJson, type ModelArtifacts } from "./artifacts.js";
import { isGraphTopology } from "./graph-topology.js";
import { isLayersTopology, layersOf } from "./layers-topology.js";
import { depthwiseView } from "./quantizable.js";
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
  const byName = new Map(weights.map((weight) => [weight.spec.name, weight]));
  for (const [name, entry] of Object.entries(metadataOf(artifacts))) {
    if (!isJson(entry)) continue;
    const codes = byName.get(entry.form === "scales" ? `${name}/codes` : name);
    if (codes?.spec.quantization?.dtype !== "uint8" || typeof entry.bits !== "number") continue;
    if (entry.form === "affine") bits.set(name, entry.bits);
    const scale = byName.get(scalesName(artifacts, weights, name, entry.form) ?? "");
    if (scale?.spec.dtype !== "float32" || typeof entry.axis !== "number") continue;
    const viewShape = viewOf(codes.spec.shape, entry.axis, sizeOf(scale.spec.shape));
    if (viewShape === undefined) continue;
    bits.set(codes.spec.name, entry.bits);
    scales.set(codes.spec.name, { scale: decodeFloats(scale), viewShape, axis: entry.axis });
  }
  return { bits, scales };
}

function metadataOf({ userDefinedMetadata }: ModelArtifacts): object {
  const ours = isJson(userDefinedMetadata) ? userDefinedMetadata.bitpress : undefined;
  return isJson(ours) && isJson(ours.weights) ? ours.weights : {};
}

function scalesName(
  artifacts: ModelArtifacts,
  weights: readonly StoredWeight[],
  name: string,
  form: unknown,
): string | undefined {
  const topology = artifacts.modelTopology;
  if (form === "scales" && isGraphTopology(topology)) return `${name}/scales`;
  if (form !== "normalize" || !isLayersTopology(topology)) return undefined;
  const owner = quantizableWeights(artifacts, weights).find((role) => role.name === name)?.layer.name;
  const layers = layersOf(topology);
  const next = layers[layers.findIndex((layer) => layer.name === owner) + 1];
  return next?.type === "BatchNormalization" ? `${next.name}/gamma` : undefined;
}

/** The shape in which `axis` has as many channels as there are scales: the weight's own, or a depthwise view. */
function viewOf(shape: Shape, axis: number, channels: number): Shape | undefined {
  if (shape[axis] === channels) return shape;
  const view = shape.length === 4 ? depthwiseView(shape) : shape;
  return view[axis] === channels ? view : undefined;
}
