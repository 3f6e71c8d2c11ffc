import type * as tf from "@tensorflow/tfjs";
import { gridOf } from "../core/grid.js";
import { trainingGridOptions, trainingWeightParams } from "../graph/training-weights.js";
import type { Graph, WeightedNode } from "../graph/types.js";
import { weightsView } from "../graph/weights-view.js";
import { quantizedReport, type Report, reportOf, type TensorReport, untouchedReport } from "../quantizers/report.js";
import { quantize } from "../wasm/quantize.js";
import { IMPORTED_CLASSES } from "./import-layer.js";
import { WeightedLayer } from "./simulated/weighted-layer.js";

/** A layer that stays float. */
export interface FloatLayer {
  readonly name: string;
  readonly className: string;
  /** The layer's name behind those of the nested models it lies in: "encoder/lstm". */
  readonly place: string;
  /** Why: "class LSTM", "padding causal". */
  readonly reason: string;
  /** Classes that can be quantized. */
  readonly supported: readonly string[];
}

/** What QATQuantizer.compress did. */
export interface QATReport extends Report {
  /** Layers that train as float, since integers cannot compute them. */
  readonly float: readonly FloatLayer[];
}

/** Report of a simulated model: weights with batch norms folded in, as they are rounded at the start; biases as int32. */
export function qatReport(graph: Graph, weights: ReadonlyMap<string, tf.Tensor>, model: tf.LayersModel): QATReport {
  const layers = model.layers.filter((layer) => layer instanceof WeightedLayer);
  const rows: TensorReport[] = [];
  const known = new Set<string>();
  for (const layer of layers) {
    const { node } = layer.config;
    rows.push(weightRow(layer, node));
    const names = biasNames(node);
    for (const name of [node.weights, ...names]) known.add(name);
    if (names.length > 0) rows.push(biasRow(node, names, weights));
  }
  for (const [name, tensor] of weights) {
    if (known.has(name) || tensor.dtype !== "float32") continue;
    rows.push(untouchedReport(name, { data: tensor.dataSync<"float32">(), shape: tensor.shape }));
  }
  return { ...reportOf(rows), float: floatLayers(graph) };
}

/** The layers that no op of the graph expresses. */
export function floatLayers({ nodes }: Graph): FloatLayer[] {
  return nodes.flatMap((node): FloatLayer[] => {
    if (node.op !== "opaque") return [];
    const { name, className, id } = node.layer;
    return [{ name, className, place: id, reason: node.reason, supported: IMPORTED_CLASSES }];
  });
}

function weightRow(layer: WeightedLayer, node: WeightedNode): TensorReport {
  const { weights } = layer.folded();
  const data = weights.dataSync<"float32">();
  const view = { data, shape: weightsView(node).shape };
  const row =
    node.weightGrid === undefined ? untouchedReport(node.weights, view) : quantizedRow(node, view, node.weightGrid);
  return { ...row, shape: weights.shape };
}

function quantizedRow(
  node: WeightedNode,
  view: Parameters<typeof untouchedReport>[1],
  grid: NonNullable<WeightedNode["weightGrid"]>,
): TensorReport {
  const params = trainingWeightParams(`QATQuantizer.compress: "${node.weights}"`, view, grid);
  const codes = quantize(view.data, { ...params, ...gridOf("QATQuantizer", trainingGridOptions(grid)) }, view);
  return quantizedReport(node.weights, view, { data: codes, shape: view.shape, params });
}

/** What a bias and a batch norm become: one int32 per channel. */
function biasRow(node: WeightedNode, names: readonly string[], weights: ReadonlyMap<string, tf.Tensor>): TensorReport {
  const { shape, axis } = weightsView(node);
  const bytesBefore = names.reduce((bytes, name) => bytes + 4 * (weights.get(name)?.size ?? 0), 0);
  return {
    name: node.bias ?? `${node.layer.id}/bias`,
    shape: [shape[axis]],
    bits: 32,
    bytesBefore,
    bytesAfter: 4 * shape[axis],
    sqnr: Number.POSITIVE_INFINITY,
  };
}

function biasNames({ bias, batchNorm }: WeightedNode): string[] {
  const { gamma, beta, mean, variance } = batchNorm ?? {};
  return [bias, gamma, beta, mean, variance].filter((name) => name !== undefined);
}
