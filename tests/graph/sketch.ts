import { buildGraph, nodeBase } from "../../src/graph/build.js";
import type { Graph, GraphNode, LayerSource, ValueShape, ValueType } from "../../src/graph/types.js";

/** Fields of a node beside those that every node has. */
type Fields = Readonly<Record<string, unknown>>;

/** A graph builder in few words: each call adds one node, named as its value, and returns the name. For tests. */
export interface Sketch {
  input(name: string, shape: ValueShape, dtype?: ValueType): string;
  /** 3 × 3, same, as many channels out as in unless `out` says otherwise; `layer` names the owner of shared weights. */
  conv2d(name: string, input: string, options?: { out?: number; layer?: string; bias?: boolean } & Fields): string;
  dense(name: string, input: string, units: number, fields?: Fields): string;
  batchNorm(name: string, input: string, options?: { layer?: string } & Fields): string;
  /** Any other op. */
  op(op: GraphNode["op"], name: string, inputs: string | readonly string[], fields?: Fields): string;
  opaque(name: string, inputs: string | readonly string[], shape: ValueShape, className?: string): string;
  finish(...outputs: string[]): Graph;
}

export function sketch(name = "sketch"): Sketch {
  const builder = buildGraph(name);
  const add = (node: object, shapes?: readonly ValueShape[]) => builder.add(node as GraphNode, shapes);
  const channels = (value: string) => builder.shapeOf(value).at(-1) as number;
  const weight = (layer: string, own: string, shape: readonly number[], trainable = true) =>
    builder.weight(`${layer}/${own}`, { shape, trainable, layer });
  return {
    input: builder.input,
    conv2d(node, input, { out = channels(input), layer = node, bias = false, ...fields } = {}) {
      const weightsShape = [3, 3, channels(input), out];
      return add({
        ...nodeBase(node, source(layer, "Conv2D"), [input]),
        op: "conv2d",
        weights: weight(layer, "kernel", weightsShape),
        ...(bias && { bias: weight(layer, "bias", [out]) }),
        weightsShape,
        strides: [1, 1],
        dilations: [1, 1],
        padding: "same",
        activation: "linear",
        trainable: true,
        ...fields,
      });
    },
    dense(node, input, units, fields = {}) {
      const weightsShape = [channels(input), units];
      const weights = weight(node, "kernel", weightsShape);
      const own = { op: "dense", weights, weightsShape, activation: "linear", trainable: true, ...fields };
      return add({ ...nodeBase(node, source(node, "Dense"), [input]), ...own });
    },
    batchNorm(node, input, { layer = node, ...fields } = {}) {
      const shape = [channels(input)];
      return add({
        ...nodeBase(node, source(layer, "BatchNormalization"), [input]),
        op: "batchNorm",
        gamma: weight(layer, "gamma", shape),
        beta: weight(layer, "beta", shape),
        mean: weight(layer, "moving_mean", shape, false),
        variance: weight(layer, "moving_variance", shape, false),
        epsilon: 0.001,
        momentum: 0.99,
        activation: "linear",
        trainable: true,
        ...fields,
      });
    },
    op(op, node, inputs, fields = {}) {
      const activation = ["add", "subtract", "multiply"].includes(op) ? { activation: "linear" } : {};
      return add({ ...nodeBase(node, source(node, op), [inputs].flat()), op, ...activation, ...fields });
    },
    opaque(node, inputs, shape, className = "Mystery") {
      const own = { op: "opaque", className, config: {}, weights: [], reason: `class ${className}`, trainable: true };
      return add({ ...nodeBase(node, source(node, className), [inputs].flat()), ...own }, [shape]);
    },
    finish: (...outputs) => builder.finish(outputs),
  };
}

function source(name: string, className: string): LayerSource {
  return { id: name, name, className, config: {} };
}
