import type { Int8Tensor, QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";

/** An int8 tensor; scale 0.5, zero point 0 unless given. */
export function int8(shape: readonly number[], fields: Partial<Int8Tensor> = {}): Int8Tensor {
  return { dtype: "int8", shape, scale: 0.5, zeroPoint: 0, ...fields };
}

/** A graph from its tensors and nodes: what no node gives is an input or a constant, what nothing reads an output. */
export function quantizedGraph(tensors: Record<string, QuantizedTensor>, nodes: readonly object[]): QuantizedGraph {
  const typed = (nodes as readonly QuantizedNode[]).map((node) => ({ ...node, name: node.name ?? node.output }));
  const made = new Set(typed.map(({ output }) => output));
  const read = new Set(typed.flatMap(({ inputs }) => inputs));
  const isConstant = (name: string): boolean => "data" in tensors[name];
  return {
    name: "sketch",
    inputs: Object.keys(tensors).filter((name) => !made.has(name) && !isConstant(name)),
    outputs: Object.keys(tensors).filter((name) => made.has(name) && !read.has(name)),
    tensors,
    nodes: typed,
  };
}

const FIXED = { scale: 1 / 256, zeroPoint: -128 };

/** image → conv → pool → flat → fc (4 bits) → probs, and a sum with a constant beside. */
export function smallNet(): QuantizedGraph {
  return quantizedGraph(
    {
      image: int8([1, 4, 4, 2], { scale: 1 / 128, zeroPoint: -3 }),
      offsets: int8([3], { data: Int8Array.of(-4, 0, 100) }),
      conv: int8([1, 4, 4, 3], { zeroPoint: -128 }),
      pool: int8([1, 2, 2, 3], { zeroPoint: -128 }),
      flat: int8([1, 12], { zeroPoint: -128 }),
      fc: int8([1, 5], { zeroPoint: 7 }),
      probs: int8([1, 5], FIXED),
      sum: int8([1, 2, 2, 3], { scale: 0.75, zeroPoint: 2 }),
    },
    [
      {
        op: "conv2d",
        inputs: ["image"],
        output: "conv",
        weights: Int8Array.from({ length: 54 }, (_, i) => ((i * 37) % 255) - 127),
        weightsShape: [3, 3, 3, 2],
        weightBits: 8,
        weightScales: Float32Array.of(0.25, 0.5, 0.125),
        bias: Int32Array.of(-100, 5, 2000),
        activation: "relu",
        strides: [1, 1],
        padding: "same",
        dilations: [1, 1],
      },
      {
        op: "maxPool2d",
        inputs: ["conv"],
        output: "pool",
        poolSize: [2, 2],
        strides: [2, 2],
        padding: "valid",
        activation: "linear",
      },
      { op: "reshape", inputs: ["pool"], output: "flat" },
      {
        op: "fullyConnected",
        inputs: ["flat"],
        output: "fc",
        weights: Int8Array.from({ length: 60 }, (_, i) => (i % 15) - 7),
        weightsShape: [5, 12],
        weightBits: 4,
        weightScales: Float32Array.of(0.0625),
        activation: "linear",
        keepDims: false,
      },
      { op: "softmax", inputs: ["fc"], output: "probs", beta: 1 },
      { op: "add", inputs: ["pool", "offsets"], output: "sum", activation: "linear" },
    ],
  );
}
