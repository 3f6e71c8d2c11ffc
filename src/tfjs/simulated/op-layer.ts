import * as tf from "@tensorflow/tfjs";
import { inferShape } from "../../graph/shapes.js";
import type { BatchNormNode, DropoutNode, GraphNode, OpaqueNode, WeightedNode } from "../../graph/types.js";
import { clip } from "../ops/clip.js";
import { maxPool } from "../ops/max-pool.js";
import { resizeOnGrid } from "../ops/resize-on-grid.js";
import { collector } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";

/** Nodes that neither weights nor chance change: what they give follows from their inputs. */
type PlainNode = Exclude<GraphNode, WeightedNode | BatchNormNode | DropoutNode | OpaqueNode>;

/** Configuration of an op layer. */
export interface OpConfig extends LayerConfig {
  readonly node: PlainNode;
  /** Whether its value is rounded to a grid: a bilinear upsampling then has the weights of integers. */
  readonly onGrid: boolean;
}

/** One node without weights: an activation, a sum, a pool, a reshape … */
export class OpLayer extends ConfiguredLayer<OpConfig> {
  static readonly className = "BitpressOp";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tf.Shape[];
    return [...inferShape(this.config.node, shapes)];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const onGrid = this.config.onGrid && collector() === undefined;
    return tf.tidy(() => run(this.config.node, [inputs].flat(), onGrid));
  }
}

function run(node: PlainNode, inputs: readonly tf.Tensor[], onGrid: boolean): tf.Tensor {
  const [x] = inputs;
  switch (node.op) {
    case "identity":
      return x.clone();
    case "relu":
    case "relu6":
      return clip(x, node.op);
    case "sigmoid":
      return tf.sigmoid(x);
    case "tanh":
      return tf.tanh(x);
    case "softmax":
      return tf.softmax(x);
    case "leakyRelu":
      return tf.leakyRelu(x, node.alpha);
    case "add":
    case "subtract":
    case "multiply": {
      const y = { add: tf.add, subtract: tf.sub, multiply: tf.mul }[node.op](x, inputs[1]);
      return node.activation === "linear" ? y : clip(y, node.activation);
    }
    case "concat":
      return tf.concat([...inputs], node.axis);
    case "maxPool2d":
      return maxPool(x as tf.Tensor4D, {
        poolSize: [...node.poolSize],
        strides: [...node.strides],
        padding: node.padding,
      });
    case "averagePool2d":
      return tf.avgPool(x as tf.Tensor4D, [...node.poolSize], [...node.strides], node.padding);
    case "globalMaxPool2d":
      return tf.max(x, [1, 2], node.keepDims);
    case "mean":
      return tf.mean(x, [1, 2], node.keepDims);
    case "zeroPad2d":
      return tf.pad(x, [[0, 0], [...node.padding[0]], [...node.padding[1]], [0, 0]]);
    case "upsample2d": {
      const size: [number, number] = [x.shape[1] as number, x.shape[2] as number];
      const larger: [number, number] = [size[0] * node.size[0], size[1] * node.size[1]];
      const map = x as tf.Tensor4D;
      if (node.interpolation === "nearest") return tf.image.resizeNearestNeighbor(map, larger);
      return onGrid ? resizeOnGrid(map, larger) : tf.image.resizeBilinear(map, larger);
    }
    case "flatten":
      return x.reshape([x.shape[0], -1]);
    case "reshape":
      return x.reshape([x.shape[0], ...node.targetShape.map((size) => size ?? -1)]);
    case "permute":
      return tf.transpose(x, [...node.permutation]);
  }
}
