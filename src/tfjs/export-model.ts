import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../core/errors.js";
import { gridOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import type { QuantizedStateDict, QuantizedTensor, Tensor } from "../core/tensor.js";
import { keepsParameters } from "../graph/keeps-parameters.js";
import { isWeighted } from "../graph/readers.js";
import { trainingGridOptions } from "../graph/training-weights.js";
import type { Graph, GraphNode, WeightedNode } from "../graph/types.js";
import { weightsView } from "../graph/weights-view.js";
import { type CalibratedTarget, type CalibrationConfig, calibrationConfig } from "../quantizers/calibration-config.js";
import type { TargetName } from "../quantizers/config-list.js";
import { qatPlan } from "../quantizers/qat.js";
import { minMax } from "../wasm/min-max.js";
import { quantize } from "../wasm/quantize.js";
import { importLayersModel } from "./import-layers-model.js";
import { columnsOf, paramsTensor } from "./ops/quant-params-tensor.js";
import { buildModel } from "./simulated/build-model.js";
import { ClipLayer } from "./simulated/clip-layer.js";
import { DorefaLayer } from "./simulated/dorefa-layer.js";
import { EdgeLayer, optionsOf } from "./simulated/edge-layer.js";
import { WeightedLayer } from "./simulated/weighted-layer.js";

/** What a simulated model has learnt, in parts. */
export interface ExportedModel {
  /** Parameters and ranges by layer and target, in NNI's field names: plain data. */
  readonly calibration: CalibrationConfig;
  /** By layer: `conv1/kernel` as codes, `conv1/bias` in float; batch norms are folded in. */
  readonly weights: QuantizedStateDict;
  /** The float model with batch norms folded into weights and biases, not compiled; it rounds nothing. */
  readonly model: tf.LayersModel;
}

type Targets = Partial<Record<TargetName, CalibratedTarget>>;

/**
 * Takes a simulated model apart: calibration config, integer weights, and the folded float model. The model is untouched.
 *
 * @param model made by QATQuantizer.compress, trained or calibrated
 *
 * Errors: QuantError `invalid-model` for another model, `unsupported` for one made by DoReFaQuantizer, `not-calibrated` where activations have seen no data.
 */
export async function exportModel(model: tf.LayersModel): Promise<ExportedModel> {
  const layers: readonly unknown[] = (model as { layers?: readonly unknown[] } | undefined)?.layers ?? [];
  const weighted = new Map(
    layers.filter((layer) => layer instanceof WeightedLayer).map((layer) => [layer.name, layer] as const),
  );
  if (weighted.size === 0 && !layers.some((layer) => layer instanceof EdgeLayer)) {
    throw new QuantError(
      "invalid-model",
      "exportModel: expected a model made by QATQuantizer.compress, got one without its layers",
    );
  }
  if (layers.some((layer) => layer instanceof DorefaLayer || layer instanceof ClipLayer)) {
    throw new QuantError(
      "unsupported",
      "exportModel: expected a model made by QATQuantizer.compress, got one made by DoReFaQuantizer.compress",
    );
  }
  const { graph, weights: floats } = importLayersModel(model);
  const activations = await activationTargets(graph, layers);
  const targets = new Map<string, Targets>();
  const state: Record<string, Tensor | QuantizedTensor> = {};
  const folded = new Map(floats);
  const made: tf.Tensor[] = [];
  for (const node of graph.nodes) {
    const input = activations.get(gridOwner(graph, node.inputs[0]) ?? "");
    const output = activations.get(node.outputs[0]);
    const found: Targets = output === undefined ? {} : { output };
    const place = placeOf(node);
    if (isWeighted(node)) {
      if (input !== undefined) found.input = input;
      const layer = weighted.get(graph.weights[node.weights].layer) as WeightedLayer;
      const { weights, bias } = layer.folded();
      // Without a batch norm they are the layer's own variables.
      if (node.batchNorm !== undefined) made.push(weights, bias as tf.Tensor);
      folded.set(node.weights, weights);
      if (bias !== undefined) {
        folded.set(foldedBias(node), bias);
        state[`${place}/bias`] = { data: (await bias.data()) as Float32Array, shape: bias.shape };
      }
      const exported = await exportedWeights(node, layer, weights, input);
      state[`${place}/${node.op === "depthwiseConv2d" ? "depthwise_kernel" : "kernel"}`] = exported.tensor;
      if (exported.target !== undefined) found.weight = exported.target;
    }
    if (Object.keys(found).length > 0) {
      targets.set(place, { ...targets.get(place), ...found });
    }
  }
  const floatModel = buildModel(foldedGraph(graph), folded, qatPlan("exportModel", {}).schedule);
  tf.dispose(made);
  return { calibration: calibrationConfig(targets), weights: state, model: floatModel };
}

/** The layer's name; of one half of a separable convolution that half's. */
function placeOf({ name, layer }: GraphNode): string {
  return name.startsWith(`${layer.id}/`) ? name : layer.name;
}

/** Parameters and ranges of every value with a grid of its own. */
async function activationTargets(graph: Graph, layers: readonly unknown[]): Promise<Map<string, CalibratedTarget>> {
  const targets = new Map<string, CalibratedTarget>();
  const edges = layers.filter((layer) => layer instanceof EdgeLayer);
  for (const [value, quantizer] of Object.entries(graph.quantizers)) {
    const edge = edges.find(({ config }) => config.quantizer === quantizer);
    if (edge === undefined) continue;
    const options = optionsOf(edge.config.quantizer);
    const { scale, zeroPoint } = await taken(edge.params());
    const range = await edge.range();
    targets.set(value, {
      params: { scale: scale[0], zeroPoint: zeroPoint[0], ...gridOf("exportModel", options) },
      symmetric: options.symmetric ?? false,
      ...(range !== undefined && { range: { min: [range.min], max: [range.max] } }),
    });
  }
  return targets;
}

/** The columns of a tensor of parameters, which is disposed of. */
async function taken(params: tf.Tensor2D): Promise<ReturnType<typeof columnsOf>> {
  const values = (await params.data()) as Float32Array;
  params.dispose();
  return columnsOf(values);
}

/** The value whose grid a value is on: itself, or what it is made of by ops that keep parameters. */
function gridOwner(graph: Graph, value: string): string | undefined {
  const quantizer = graph.quantizers[value];
  if (quantizer !== undefined) return "like" in quantizer ? quantizer.like : value;
  const producer = graph.nodes.find(({ outputs }) => outputs.includes(value));
  return producer !== undefined && keepsParameters(producer) ? gridOwner(graph, producer.inputs[0]) : undefined;
}

async function exportedWeights(
  node: WeightedNode,
  layer: WeightedLayer,
  weights: tf.Tensor,
  input: CalibratedTarget | undefined,
): Promise<{ readonly tensor: Tensor | QuantizedTensor; readonly target?: CalibratedTarget }> {
  const { weightGrid } = node;
  const data = (await weights.data()) as Float32Array;
  if (weightGrid === undefined) return { tensor: { data, shape: weights.shape } };
  const { shape } = weightsView(node);
  const params = tf.tidy(() => layer.weightParams(input === undefined ? undefined : paramsTensor(input.params)));
  const { scale, zeroPoint } = await taken(params as tf.Tensor2D);
  const grid = gridOf("exportModel", trainingGridOptions(weightGrid));
  const perChannel = weightGrid.granularity === "perChannel";
  const { axis } = weightGrid;
  const found: QuantParams = perChannel
    ? { scale, zeroPoint, ...grid, axis }
    : { scale: scale[0], zeroPoint: zeroPoint[0], ...grid };
  return {
    tensor: { data: quantize(data, found, { shape }), shape, params: found },
    target: { params: found, symmetric: weightGrid.symmetric, range: minMax(data, perChannel ? { shape, axis } : {}) },
  };
}

/** The graph without quantizers, and with a bias where a batch norm was. */
function foldedGraph(graph: Graph): Graph {
  const nodes = graph.nodes.map((node): GraphNode => {
    if (!isWeighted(node)) return node;
    const { batchNorm: _norm, weightGrid: _grid, ...bare } = node;
    return node.batchNorm === undefined ? bare : { ...bare, bias: foldedBias(node) };
  });
  return { ...graph, nodes, quantizers: {} };
}

/** Unique to each pair of weights and norm; shared by the uses of a shared layer. */
function foldedBias({ weights }: WeightedNode): string {
  return `${weights} folded bias`;
}
