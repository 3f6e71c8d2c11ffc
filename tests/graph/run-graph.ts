import * as tf from "@tensorflow/tfjs";
import type { Graph, GraphNode, NodeBatchNorm, WeightedNode } from "../../src/graph/types.js";
import { weightsView } from "../../src/graph/weights-view.js";
import { foldBatchNorm } from "../../src/wasm/fold-batch-norm.js";

/** Runs a graph with tfjs's ops: what the graph says, nothing else. For tests. */
export function runGraph(
  graph: Graph,
  weights: ReadonlyMap<string, tf.Tensor>,
  inputs: readonly tf.Tensor[],
): tf.Tensor[] {
  return tf.tidy(() => {
    const values = new Map(graph.inputs.map((name, i) => [name, inputs[i]]));
    for (const node of graph.nodes) {
      const outputs = run(
        node,
        node.inputs.map((name) => at(values, name)),
        weights,
      );
      node.outputs.forEach((name, i) => {
        values.set(name, outputs[i]);
      });
    }
    return graph.outputs.map((name) => tf.clone(at(values, name)));
  });
}

function at<T>(table: ReadonlyMap<string, T>, name: string): T {
  const found = table.get(name);
  if (found === undefined) throw new Error(`runGraph: no "${name}"`);
  return found;
}

type Weights = ReadonlyMap<string, tf.Tensor>;

function run(node: GraphNode, inputs: readonly tf.Tensor[], weights: Weights): tf.Tensor[] {
  if (node.op === "opaque") return runOpaque(node, inputs, weights);
  return [runOp(node, inputs, weights)];
}

function runOp(node: Exclude<GraphNode, { op: "opaque" }>, inputs: readonly tf.Tensor[], weights: Weights): tf.Tensor {
  const [x, y] = inputs;
  const map = x as tf.Tensor4D;
  switch (node.op) {
    case "conv2d":
    case "depthwiseConv2d":
    case "dense":
      return activate(runWeighted(node, x, weights), node.activation);
    case "batchNorm": {
      const get = (name: string | undefined) => (name === undefined ? undefined : (at(weights, name) as tf.Tensor1D));
      const [mean, variance] = [get(node.mean), get(node.variance)] as [tf.Tensor1D, tf.Tensor1D];
      const normed = tf.batchNorm(x, mean, variance, get(node.beta), get(node.gamma), node.epsilon);
      return activate(normed, node.activation);
    }
    case "identity":
    case "dropout":
      return x;
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "tanh":
      return tf.tanh(x);
    case "softmax":
      return tf.softmax(x);
    case "leakyRelu":
      return tf.leakyRelu(x, node.alpha);
    case "add":
      return activate(tf.add(x, y), node.activation);
    case "subtract":
      return activate(tf.sub(x, y), node.activation);
    case "multiply":
      return activate(tf.mul(x, y), node.activation);
    case "concat":
      return tf.concat([...inputs], node.axis);
    case "maxPool2d":
      return tf.maxPool(map, [...node.poolSize], [...node.strides], node.padding);
    case "averagePool2d":
      return tf.avgPool(map, [...node.poolSize], [...node.strides], node.padding);
    case "globalMaxPool2d":
      return tf.max(x, [1, 2], node.keepDims);
    case "mean":
      return tf.mean(x, [1, 2], node.keepDims);
    case "zeroPad2d":
      return tf.pad(x, [[0, 0], [...node.padding[0]], [...node.padding[1]], [0, 0]]);
    case "upsample2d": {
      const size: [number, number] = [map.shape[1] * node.size[0], map.shape[2] * node.size[1]];
      return node.interpolation === "nearest"
        ? tf.image.resizeNearestNeighbor(map, size)
        : tf.image.resizeBilinear(map, size);
    }
    case "flatten":
      return tf.reshape(x, [x.shape[0], -1]);
    case "reshape":
      return tf.reshape(x, [x.shape[0], ...node.targetShape.map((size) => size ?? -1)]);
    case "permute":
      return tf.transpose(x, [...node.permutation]);
  }
}

function activate(x: tf.Tensor, activation: "linear" | "relu" | "relu6"): tf.Tensor {
  return activation === "linear" ? x : activation === "relu" ? tf.relu(x) : tf.relu6(x);
}

function runWeighted(node: WeightedNode, x: tf.Tensor, weights: Weights): tf.Tensor {
  const { w, b } = linearWeights(node, weights);
  const y = multiply(node, x, w);
  return b === undefined ? y : tf.add(y, b);
}

/** The node's weights and bias, a batch norm really folded into them by the library's arithmetic. */
function linearWeights(node: WeightedNode, weights: Weights): { w: tf.Tensor; b: tf.Tensor | undefined } {
  const w = tf.reshape(at(weights, node.weights), [...node.weightsShape]);
  const b = node.bias === undefined ? undefined : at(weights, node.bias);
  if (node.batchNorm === undefined) return { w, b };
  const folded = foldBatchNorm(
    { weights: data(w), ...(b !== undefined && { bias: data(b) }), ...normArrays(node.batchNorm, weights) },
    weightsView(node),
  );
  return { w: tf.tensor(folded.weights, [...node.weightsShape]), b: tf.tensor1d(folded.bias) };
}

function normArrays({ gamma, beta, mean, variance, epsilon }: NodeBatchNorm, weights: Weights) {
  return {
    ...(gamma !== undefined && { gamma: data(at(weights, gamma)) }),
    ...(beta !== undefined && { beta: data(at(weights, beta)) }),
    mean: data(at(weights, mean)),
    variance: data(at(weights, variance)),
    epsilon,
  };
}

function data(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<"float32">();
}

function multiply(node: WeightedNode, x: tf.Tensor, w: tf.Tensor): tf.Tensor {
  if (node.op === "dense") {
    const rows = tf.reshape(x, [-1, node.weightsShape[0]]);
    return tf.reshape(tf.matMul(rows, w as tf.Tensor2D), [...x.shape.slice(0, -1), node.weightsShape[1]]);
  }
  const conv = node.op === "conv2d" ? tf.conv2d : tf.depthwiseConv2d;
  const strides: [number, number] = [...node.strides];
  return conv(x as tf.Tensor4D, w as tf.Tensor4D, strides, node.padding, "NHWC", [...node.dilations]);
}

/** Makes the stock layer again from what the node holds. */
function runOpaque(
  node: Extract<GraphNode, { op: "opaque" }>,
  inputs: readonly tf.Tensor[],
  weights: Weights,
): tf.Tensor[] {
  const layer = layerOf(node.className, node.config);
  const build = inputs.map(({ shape, dtype }) => tf.input({ batchShape: [null, ...shape.slice(1)], dtype }));
  layer.apply(build.length === 1 ? build[0] : build);
  layer.setWeights(node.weights.map((name) => at(weights, name)));
  const made = layer.apply(inputs.length === 1 ? inputs[0] : [...inputs]);
  const outputs = [made].flat() as tf.Tensor[];
  layer.weights.forEach((variable) => {
    variable.dispose();
  });
  return outputs;
}

/** A layer from class and getConfig(), as tfjs itself makes it; from a copy, because Bidirectional changes what it is given. */
function layerOf(className: string, config: unknown): tf.layers.Layer {
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className];
  return fromConfig(cls, structuredClone(config) as tf.serialization.ConfigDict) as tf.layers.Layer;
}
