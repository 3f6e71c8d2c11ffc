import type { Int8Tensor, QuantizedGraph, QuantizedNode } from "../src/graph/quantized-graph.js";
import { evenCodes } from "./values.js";

/** One layer of a network in 8 bits, with random weights. */
export interface LayerShape {
  readonly op: "conv2d" | "depthwiseConv2d" | "fullyConnected" | "add";
  /** Height and width of the input, which are equal; 1 for fullyConnected. */
  readonly side: number;
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  readonly kernel?: number;
  readonly stride?: number;
}

/** A graph of one node, int8 in and out. */
export function layerGraph({ op, side, inputs, outputs, kernel = 1, stride = 1 }: LayerShape): QuantizedGraph {
  const after = Math.ceil(side / stride);
  const isDense = op === "fullyConnected";
  const terms = (op === "depthwiseConv2d" ? 1 : inputs) * kernel ** 2;
  const tensor = (size: number, channels: number, scale: number): Int8Tensor => ({
    dtype: "int8",
    shape: isDense ? [1, channels] : [1, size, size, channels],
    scale: Math.fround(scale),
    zeroPoint: -3,
  });
  const names = op === "add" ? ["x", "x2"] : ["x"];
  const windows = { strides: [stride, stride], dilations: [1, 1], padding: "same" } as const;
  const linear = {
    weightBits: 8,
    weights: evenCodes(terms * outputs, -127, 127),
    weightScales: new Float32Array(outputs).fill(2 ** -7),
    bias: Int32Array.from({ length: outputs }, (_, i) => 100 * i),
    activation: "relu",
  } as const;
  const name = { name: "y", inputs: names, output: "y" } as const;
  const node = (): QuantizedNode => {
    switch (op) {
      case "add":
        return { ...name, op, activation: "linear" };
      case "fullyConnected":
        // One scale for all: XNNPACK of 2022 leaves fully connected layers with more to TensorFlow Lite's plain loops.
        return {
          ...name,
          ...linear,
          weightScales: Float32Array.of(2 ** -7),
          op,
          weightsShape: [outputs, inputs],
          keepDims: false,
        };
      case "conv2d":
        return { ...name, ...linear, ...windows, op, weightsShape: [outputs, kernel, kernel, inputs] };
      case "depthwiseConv2d":
        return { ...name, ...linear, ...windows, op, weightsShape: [kernel, kernel, outputs], multiplier: 1 };
    }
  };
  // Sums of products of two evenly spread codes, two thirds of them within the output's codes.
  const scale = op === "add" ? 0.1 : 0.1 * 2 ** -7 * 40 * Math.sqrt(terms);
  const operands = Object.fromEntries(names.map((x, i) => [x, tensor(side, inputs, i === 0 ? 0.1 : 0.07)]));
  return {
    name: "layer",
    inputs: names,
    outputs: ["y"],
    tensors: { ...operands, y: tensor(after, outputs, scale) },
    nodes: [node()],
  };
}
