import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { QuantError } from "../../src/core/errors.js";
import type { QuantizedGraph, QuantizedNode, QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../src/graph/validate-quantized.js";
import { int8, quantizedGraph, smallNet } from "./quantized-sketch.js";
import { randomQuantizedGraph } from "./random-quantized-graph.js";

type Change = (graph: QuantizedGraph) => Partial<QuantizedGraph>;

function withNode(name: string, fields: object): Change {
  return ({ nodes }) => ({
    nodes: nodes.map((node) => (node.name === name ? ({ ...node, ...fields } as QuantizedNode) : node)),
  });
}

function withTensor(name: string, fields: object): Change {
  return ({ tensors }) => ({
    tensors: { ...tensors, [name]: { ...tensors[name], ...fields } as QuantizedTensor },
  });
}

const conv = smallNet().nodes[0] as { weights: Int8Array } & QuantizedNode;

const RULES: Readonly<Record<string, Change>> = {
  'graph inputs: expected its tensors in graph.tensors, got no "x"': () => ({ inputs: ["image", "x"] }),
  'graph inputs: expected tensors that nothing else gives, got "image"': () => ({ inputs: ["image", "image"] }),
  'graph inputs: expected tensors without data and qmin, got "offsets"': () => ({ inputs: ["image", "offsets"] }),
  'graph inputs: expected tensors without data and qmin, got "image"': withTensor("image", { qmin: -5 }),
  'graph inputs: expected int8 or float32, got int32 "image"': withTensor("image", { dtype: "int32" }),
  'graph inputs: expected tensors with names, got "__proto__"': () => ({ inputs: ["__proto__"] }),
  'graph outputs: expected distinct outputs of nodes, got "image"': () => ({ outputs: ["image"] }),
  'graph outputs: expected distinct outputs of nodes, got "sum"': () => ({ outputs: ["sum", "sum"] }),
  "graph outputs: expected at least one, got none": () => ({ outputs: [] }),
  'graph tensors: expected inputs, outputs of nodes and constants that are read, got "stray"': withTensor(
    "stray",
    int8([1]),
  ),
  'graph tensors: expected inputs, outputs of nodes and constants that are read, got "unread"': withTensor(
    "unread",
    int8([1], { data: Int8Array.of(1) }),
  ),
  'maxPool2d "conv": expected a name of its own, got the name of another node': withNode("pool", { name: "conv" }),
  'reshape "flat": expected inputs that come before it, got "fc"': withNode("flat", { inputs: ["fc"] }),
  'reshape "flat": expected tensors that nothing else gives, got "pool"': withNode("flat", { output: "pool" }),
  'reshape "flat": expected tensors that nothing else gives, got "flat"': withTensor("flat", {
    data: new Int8Array(12),
  }),
  'softmax "probs": expected an output of int8, got float32': withTensor("probs", { dtype: "float32" }),
  'softmax "probs": expected 1 inputs, got 2': withNode("probs", { inputs: ["fc", "fc"] }),
  'add "sum": expected 2 inputs, got 1': withNode("sum", { inputs: ["pool"] }),
  'add "sum": expected at most one constant, got 2': withNode("sum", { inputs: ["offsets", "offsets"] }),

  'tensor "image": expected at most 8 sizes ≥ 1, of < 2^31 elements, got [1, 4, 4, 2.5]': withTensor("image", {
    shape: [1, 4, 4, 2.5],
  }),
  'tensor "image": expected a finite float32 scale > 0, got 0.1': withTensor("image", { scale: 0.1 }),
  'tensor "image": expected a finite float32 scale > 0, got 0': withTensor("image", { scale: 0 }),
  'tensor "image": expected a finite float32 scale > 0, got Infinity': withTensor("image", { scale: 1 / 0 }),
  'tensor "image": expected a zeroPoint in [-128, 127], got 1.5': withTensor("image", { zeroPoint: 1.5 }),
  'tensor "pool": expected a qmin in [-127, 127], got -128': withTensor("pool", { qmin: -128 }),
  'tensor "offsets": expected 3 codes for [3], got 2': withTensor("offsets", { data: new Int8Array(2) }),

  'conv2d "conv": expected output [1, 4, 4, 3], got [1, 4, 4, 4]': withTensor("conv", { shape: [1, 4, 4, 4] }),
  'conv2d "conv": expected weights of 4 sizes ≥ 1, got [54]': withNode("conv", { weightsShape: [54] }),
  'conv2d "conv": expected 54 weights for [3, 3, 3, 2], got 53': withNode("conv", {
    weights: conv.weights.subarray(1),
  }),
  'conv2d "conv": expected 1 or 3 weight scales, got 2': withNode("conv", { weightScales: Float32Array.of(1, 1) }),
  'conv2d "conv": expected finite weight scales > 0, got -1': withNode("conv", { weightScales: Float32Array.of(-1) }),
  'conv2d "conv": expected a bias of 3, got 1': withNode("conv", { bias: Int32Array.of(1) }),
  'conv2d "conv": expected weightBits of 8 or 4, got 5': withNode("conv", { weightBits: 5 }),
  'conv2d "conv": expected weights in [-8, 7] for 4 bits, got -127': withNode("conv", { weightBits: 4 }),
  'conv2d "conv": expected window, strides and dilations of integers in [1, 2147483647], got 0': withNode("conv", {
    strides: [0, 1],
  }),
  'conv2d "conv": expected |bias| + 255·Σ|weights| < 2^31 in channel 1, got 2147788880': withNode("conv", {
    bias: Int32Array.of(0, 2 ** 31 - 3, 0),
  }),
  'conv2d "conv": expected input scales below 2^8 output scales, got 512': withNode("conv", {
    weightScales: Float32Array.of(1, 32768, 1),
  }),
  'maxPool2d "pool": expected inputs of scale 1 and zeroPoint -128, like its output, got scale 0.5 and zeroPoint -128':
    ({ tensors }) => ({ tensors: { ...tensors, pool: { ...tensors.pool, scale: 1 } as QuantizedTensor } }),
  'softmax "probs": expected an output of scale 0.00390625 and zeroPoint -128, got scale 0.5 and zeroPoint -128':
    withTensor("probs", { scale: 0.5 }),
  'softmax "probs": expected a finite float32 beta > 0, got 0': withNode("probs", { beta: 0 }),
  'maxPool2d "pool": expected an input no smaller than the window, got [1, 4, 4, 3]': withNode("pool", {
    poolSize: [5, 1],
  }),
  'reshape "flat": expected an output of 12 elements, got [1, 11]': withTensor("flat", { shape: [1, 11] }),
};

describe("each rule", () => {
  for (const [message, change] of Object.entries(RULES)) {
    test(message, () => {
      const graph = smallNet();
      assert.throws(
        () => validateQuantizedGraph({ ...graph, ...change(graph) }),
        (error) => {
          assert.ok(error instanceof QuantError, String(error));
          assert.deepEqual([error.code, error.message], ["invalid-model", message]);
          return true;
        },
      );
    });
  }
});

test("float32 and int32 stand where they may", () => {
  const real: QuantizedTensor = { dtype: "float32", shape: [1, 2] };
  const message = (tensors: Record<string, QuantizedTensor>, op: string): string => {
    try {
      validateQuantizedGraph(quantizedGraph(tensors, [{ op, inputs: ["x"], output: "y", axis: 1 }]));
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message({ x: real, y: int8([1, 2]) }, "quantize"), "");
  assert.equal(message({ x: int8([1, 2]), y: real }, "dequantize"), "");
  assert.equal(message({ x: int8([1, 2]), y: { dtype: "int32", shape: [1] } }, "argMax"), "");
  assert.equal(message({ x: real, y: int8([1, 2]) }, "relu"), 'relu "y": expected int8 inputs, got float32');
  assert.equal(message({ x: real, y: real }, "quantize"), 'quantize "y": expected an output of int8, got float32');
  assert.equal(
    message({ x: int8([1, 2]), y: int8([1]) }, "argMax"),
    'argMax "y": expected an output of int32, got int8',
  );
});

test("a sum of codes fits an int32", () => {
  const sizes = [1, 2 ** 12, 2 ** 12, 1];
  const node = { op: "mean", inputs: ["x"], output: "y", axes: [1, 2], keepDims: false };
  assert.throws(
    () => validateQuantizedGraph(quantizedGraph({ x: int8(sizes), y: int8([1, 1]) }, [node])),
    new QuantError("invalid-model", 'mean "y": expected sums of fewer than 2^31 / 255 codes, got 16777216', {
      where: 'mean "y"',
    }),
  );
});

test("random graphs are valid", () => {
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => validateQuantizedGraph(graph)),
    { numRuns: 200 },
  );
});
