import { SIGN_GRID } from "../../core/unit-grid.js";
import { activationBounds } from "../../reference/activation-bounds.js";
import { quantize } from "../../wasm/quantize.js";
import { trainingWeightParams } from "../training-weights.js";
import type { FusedActivation, NodeBatchNorm, WeightedNode } from "../types.js";
import { weightsView } from "../weights-view.js";
import type { CodeGrid } from "./code-grid.js";
import { dorefaWeightCodes } from "./dorefa-weight-codes.js";
import { type ChannelDifference, foldBatchNormToBias, type NormalizedLayer } from "./fold-batch-norm-to-bias.js";
import { checkFinite, type IntegerLayer, type WeightData } from "./integer-weights.js";

/** A channel of a layer whose integers do not give the code of training for every input that can come. */
export type CodeDifference =
  | ({ readonly layer: string } & ChannelDifference)
  /** Its bias would not fit, so that its weights were rounded to larger steps. */
  | { readonly layer: string; readonly channel: number; readonly refitted: true };

/** Where a layer of DoReFa's stands. */
export interface DorefaPlace {
  /** Begins the message of errors: names the layer. */
  readonly where: string;
  /** What enters, and what leaves behind batch norm and activation. */
  readonly input: CodeGrid;
  readonly output: CodeGrid;
  /** Whether signs leave. */
  readonly sign: boolean;
  readonly activation: FusedActivation;
}

/** A layer in integers, and the channels that are not training's. */
export interface DorefaLayer {
  readonly layer: IntegerLayer;
  readonly differences: readonly ChannelDifference[];
  readonly refitted: readonly number[];
}

/**
 * A linear layer of DoReFa's, with the batch norm behind it, in integers: dorefaWeightCodes and foldBatchNormToBias.
 *
 * Weights that training left in float are rounded to 8 bits first, one scale per output channel. Codes of up to 1 bit are stored as
 * int4.
 *
 * Errors: as foldBatchNormToBias; QuantError `non-finite`, naming the array.
 */
export function dorefaLayer(node: WeightedNode, data: WeightData, place: DorefaPlace): DorefaLayer {
  const { shape, axis } = weightsView(node);
  const weights = weightCodes(place.where, node, data);
  const bias = node.bias === undefined ? undefined : data.get(node.bias);
  if (bias !== undefined) checkFinite(place.where, "bias", bias);
  const normalization = { ...(bias !== undefined && { bias }), ...normalizationOf(node.batchNorm, shape[axis], data) };
  return folded({ weights, shape, axis, ...normalization }, place);
}

/** A batch norm behind something else than a linear layer: a layer of one weight of 1 per channel. */
export function dorefaBatchNorm(
  batchNorm: Omit<NodeBatchNorm, "layer">,
  channels: number,
  data: WeightData,
  place: DorefaPlace,
): DorefaLayer {
  return folded({ ...ones(channels), ...normalizationOf(batchNorm, channels, data) }, place);
}

/** Signs of codes: a layer of one weight of 1 per channel. */
export function signLayer(channels: number, place: Pick<DorefaPlace, "where" | "input">): IntegerLayer {
  const layer = { ...ones(channels), ...normalizationOf(undefined, channels, new Map()) };
  return folded(layer, { ...place, output: SIGN_GRID, sign: true, activation: "linear" }).layer;
}

function folded(layer: Omit<NormalizedLayer, "input" | "output">, place: DorefaPlace): DorefaLayer {
  const { where, input, output, sign, activation } = place;
  const { data, scale, bias, differences, refitted } = foldBatchNormToBias(where, {
    ...layer,
    sign,
    input: { ...input, qmin: input.qmin ?? -128, qmax: 127 },
    output: sign ? SIGN_GRID : { ...output, ...activationBounds(activation, output, "integer") },
  });
  const small = data.every((code) => Math.abs(code) <= 1);
  const biasOrZeros = bias.some((code) => code !== 0) ? bias : undefined;
  return {
    layer: { codes: data, weightBits: small ? 4 : 8, weightScales: scale, bias: biasOrZeros },
    differences,
    refitted,
  };
}

function weightCodes(where: string, node: WeightedNode, data: WeightData): NormalizedLayer["weights"] {
  const w = data.get(node.weights) as Float32Array;
  const { shape } = weightsView(node);
  const { dorefa, weightGrid } = node;
  if (dorefa !== undefined) {
    checkFinite(where, "weights", w);
    return dorefaWeightCodes(where, w, dorefa.weightBits);
  }
  if (weightGrid === undefined) throw new TypeError(`${where}: expected a grid for the weights, got none`);
  const params = trainingWeightParams(`${where}: weights`, { data: w, shape }, weightGrid);
  return { data: quantize(w, params, { shape }) as Int8Array, params };
}

function ones(channels: number) {
  const weights = { data: new Int8Array(channels).fill(1), params: { scale: 1 } };
  return { weights, shape: [channels], axis: 0 };
}

/** What is left out of NormalizedLayer means nothing is done: mean 0, σ 1. */
function normalizationOf(
  batchNorm: Omit<NodeBatchNorm, "layer"> | undefined,
  channels: number,
  data: WeightData,
): Pick<NormalizedLayer, "gamma" | "beta" | "mean" | "variance" | "epsilon"> {
  if (batchNorm === undefined) {
    return { mean: new Float32Array(channels), variance: new Float32Array(channels).fill(1), epsilon: 0 };
  }
  const read = (name: string) => data.get(name) as Float32Array;
  const { gamma, beta, mean, variance, epsilon } = batchNorm;
  return {
    ...(gamma !== undefined && { gamma: read(gamma) }),
    ...(beta !== undefined && { beta: read(beta) }),
    mean: read(mean),
    variance: read(variance),
    epsilon,
  };
}
