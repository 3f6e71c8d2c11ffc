import * as tf from "@tensorflow/tfjs";
import { isWeighted } from "../../graph/readers.js";
import type { EdgeQuantizer, FixedQuantizer, Graph, GraphNode, OwnQuantizer, WeightedNode } from "../../graph/types.js";
import { weightsView } from "../../graph/weights-view.js";
import { NEVER, type QATSchedule } from "../../quantizers/qat.js";
import { BatchNormLayer } from "./batch-norm-layer.js";
import { ClipLayer } from "./clip-layer.js";
import { DorefaLayer } from "./dorefa-layer.js";
import { EdgeLayer } from "./edge-layer.js";
import { OpLayer } from "./op-layer.js";
import "./register-layers.js";
import { ParamsLayer } from "./params-layer.js";
import { type RoundingConfig, RoundingLayer } from "./rounding-layer.js";
import { stockLayer } from "./stock-parts.js";
import { WeightedLayer } from "./weighted-layer.js";

/** A value of the graph in the model being built, and the parameters [2, 1] of its grid where it has one. */
interface Built {
  readonly tensor: tf.SymbolicTensor;
  readonly params: (() => tf.SymbolicTensor) | undefined;
}

interface Building {
  readonly graph: Graph;
  readonly schedule: Required<QATSchedule>;
  readonly values: Map<string, Built>;
  /** Layers by what makes uses of a node one layer. */
  readonly layers: Map<string, tf.layers.Layer>;
  /** The graph's names of the layers' weights, by the weights' own names or in their order. */
  readonly weightNames: Map<tf.layers.Layer, Readonly<Record<string, string | undefined>> | readonly string[]>;
}

/**
 * A layers model that computes a graph: the library's layers, and stock layers where a node is opaque or drops out.
 *
 * Each use of weights is a use of one layer, so shared layers stay shared. The model has variables of its own, which begin with
 * the given values.
 *
 * @param weights by their name in the graph
 */
export function buildModel(
  graph: Graph,
  weights: ReadonlyMap<string, tf.Tensor>,
  schedule: Required<QATSchedule>,
): tf.LayersModel {
  const building: Building = { graph, schedule, values: new Map(), layers: new Map(), weightNames: new Map() };
  const inputs = graph.inputs.map((name) => {
    const { shape, dtype } = graph.values[name];
    const tensor = tf.input({ batchShape: [...shape], dtype: dtype as tf.DataType, name });
    place(building, name, tensor, undefined);
    return tensor;
  });
  for (const node of graph.nodes) addNode(building, node);
  const outputs = graph.outputs.map((name) => built(building, name).tensor);
  const model = tf.model({ inputs, outputs, name: graph.name });
  for (const [layer, names] of building.weightNames) fill(layer, names, weights);
  return model;
}

function addNode(building: Building, node: GraphNode): void {
  const inputs = node.inputs.map((input) => built(building, input));
  const tensors = inputs.map(({ tensor }) => tensor);
  // The grid of a bias follows from that of the input.
  const hasBias =
    node.op === "batchNorm" || (isWeighted(node) && (node.bias !== undefined || node.batchNorm !== undefined));
  if (hasBias && inputs[0].params !== undefined) tensors.push(inputs[0].params());
  const outputs = [layerOf(building, node).apply(tensors.length === 1 ? tensors[0] : tensors)].flat();
  node.outputs.forEach((output, i) => {
    place(building, output, outputs[i] as tf.SymbolicTensor, node);
  });
}

function built({ values }: Building, name: string): Built {
  return values.get(name) as Built;
}

/** Puts a value in place, behind the quantizer that the graph asks for. */
function place(building: Building, value: string, tensor: tf.SymbolicTensor, node: GraphNode | undefined): void {
  const quantizer = building.graph.quantizers[value];
  const there =
    quantizer === undefined ? { tensor, params: undefined } : quantized(building, value, tensor, node, quantizer);
  building.values.set(value, there);
}

function quantized(
  building: Building,
  value: string,
  tensor: tf.SymbolicTensor,
  node: GraphNode | undefined,
  quantizer: EdgeQuantizer,
): Built {
  const { schedule, values } = building;
  if ("bound" in quantizer || "sign" in quantizer) {
    const layer = new ClipLayer({ name: `${value}/quantized`, value, quantizer });
    return { tensor: layer.apply(tensor) as tf.SymbolicTensor, params: undefined };
  }
  if (!("like" in quantizer)) {
    const { decay, freezeObserversStep } = schedule;
    const quantStartStep = startStepOf(building, value, quantizer);
    const name = `${value}/${"observeOnly" in quantizer ? "observed" : "quantized"}`;
    const layer = new EdgeLayer({ name, value, quantizer, quantStartStep, decay, freezeObserversStep });
    // An average is rounded to its input's parameters first, then to its own.
    const average = averageOnGrid(building, value, tensor, node, node?.inputs[0]);
    const rounded = layer.apply(average ?? tensor) as tf.SymbolicTensor;
    if ("observeOnly" in quantizer) return { tensor: rounded, params: undefined };
    let params: tf.SymbolicTensor | undefined;
    return {
      tensor: rounded,
      params: () => {
        params ??= new ParamsLayer({ name: `${value}/params` }).apply(rounded) as tf.SymbolicTensor;
        return params;
      },
    };
  }
  // Absent where the parameters are those of a concat behind, which rounds for its producers: it only moves values.
  const params = values.get(quantizer.like)?.params;
  return { tensor: averageOnGrid(building, value, tensor, node, quantizer.like) ?? tensor, params };
}

/** An average, rounded to the parameters of the value `like`; undefined for other nodes, and without parameters. */
function averageOnGrid(
  { graph, values }: Building,
  value: string,
  tensor: tf.SymbolicTensor,
  node: GraphNode | undefined,
  like: string | undefined,
): tf.SymbolicTensor | undefined {
  const average = node === undefined ? undefined : averageOf(node);
  const params = like === undefined ? undefined : values.get(like)?.params;
  if (average === undefined || like === undefined || params === undefined) return undefined;
  const found = graph.quantizers[like];
  const quantizer = ("like" in found ? graph.quantizers[found.like] : found) as OwnQuantizer | FixedQuantizer;
  const layer = new RoundingLayer({ name: `${value}/rounded`, value, quantizer, ...average });
  return layer.apply([tensor, params()]) as tf.SymbolicTensor;
}

/**
 * The step from which training rounds a value. Never, where prescribed parameters round an output: between a softmax and its
 * loss rounding serves nothing, and a probability that becomes 0 has no gradient.
 */
function startStepOf({ graph, schedule }: Building, value: string, quantizer: OwnQuantizer | FixedQuantizer): number {
  if ("fixed" in quantizer && graph.outputs.includes(value)) return NEVER;
  return quantizer.quantStartStep ?? schedule.quantStartStep;
}

/** How a node that keeps its input's parameters, but gives values between those of its input's grid, is rounded to them. */
function averageOf(node: GraphNode): Pick<RoundingConfig, "parts" | "ties"> | undefined {
  if (node.op === "averagePool2d") return { parts: node.poolSize[0] * node.poolSize[1], ties: "away" };
  if (node.op === "upsample2d" && node.interpolation === "bilinear") {
    const parts = node.size[0] * node.size[1];
    // Where weights are no powers of two, averages lie up to 2^-20 beside a tie; 2^-12 parts still are above float32's error.
    return { parts: Math.log2(parts) % 1 === 0 ? parts : 2 ** 12, ties: "up" };
  }
  return undefined;
}

function layerOf(building: Building, node: GraphNode): tf.layers.Layer {
  const key = sharedKey(node);
  const known = building.layers.get(key);
  if (known !== undefined) return known;
  const layer = makeLayer(building, node);
  building.layers.set(key, layer);
  return layer;
}

/** Equal for uses of one layer: those that read the same weights. */
function sharedKey(node: GraphNode): string {
  if (isWeighted(node)) return `weights ${node.weights}`;
  if (node.op === "batchNorm") return `weights ${node.mean}`;
  if (node.op === "opaque" && node.weights.length > 0) return `layer ${node.layer.id}`;
  return `node ${node.name}`;
}

function makeLayer({ graph, schedule, weightNames }: Building, node: GraphNode): tf.layers.Layer {
  const { name } = node;
  if (isWeighted(node)) {
    const shapes = { weights: graph.weights[node.weights].shape, channels: channelsOf(node) };
    const { batchNorm, weights, bias, dorefa } = node;
    if (dorefa !== undefined) {
      const layer = new DorefaLayer({ name, node: { ...node, dorefa }, shapes });
      weightNames.set(layer, { kernel: weights, depthwise_kernel: weights, bias });
      return layer;
    }
    const uses = graph.nodes.filter((other) => isWeighted(other) && other.weights === node.weights).length;
    const quantStartStep = node.weightGrid?.quantStartStep ?? schedule.quantStartStep;
    const { freezeBatchNormStep } = schedule;
    const layer = new WeightedLayer({ name, node, shapes, uses, quantStartStep, freezeBatchNormStep });
    weightNames.set(layer, {
      kernel: weights,
      depthwise_kernel: weights,
      bias,
      ...(batchNorm && momentNames(batchNorm)),
    });
    return layer;
  }
  switch (node.op) {
    case "batchNorm": {
      const layer = new BatchNormLayer({ name, node, freezeBatchNormStep: schedule.freezeBatchNormStep });
      weightNames.set(layer, momentNames(node));
      return layer;
    }
    case "opaque":
    case "dropout": {
      const layer = stockLayer(node.className, { ...node.config, name });
      if (node.op === "opaque") {
        layer.trainable = node.trainable;
        weightNames.set(layer, node.weights);
      }
      return layer;
    }
    default:
      return new OpLayer({ name, node, onGrid: graph.quantizers[node.outputs[0]] !== undefined });
  }
}

function channelsOf(node: WeightedNode): number {
  const { shape, axis } = weightsView(node);
  return shape[axis];
}

function momentNames({
  gamma,
  beta,
  mean,
  variance,
}: {
  gamma?: string;
  beta?: string;
  mean: string;
  variance: string;
}) {
  return { gamma, beta, moving_mean: mean, moving_variance: variance };
}

/** Gives a layer's variables their first values; counters have none. */
function fill(
  layer: tf.layers.Layer,
  names: Readonly<Record<string, string | undefined>> | readonly string[],
  weights: ReadonlyMap<string, tf.Tensor>,
): void {
  layer.weights.forEach((variable, i) => {
    const name = Array.isArray(names) ? names[i] : names[variable.originalName.split("/").at(-1) as keyof typeof names];
    const value = name === undefined ? undefined : weights.get(name as string);
    if (value !== undefined) variable.write(value);
  });
}
