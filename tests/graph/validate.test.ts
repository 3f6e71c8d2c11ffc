import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { QuantError } from "../../src/core/errors.js";
import type { EdgeQuantizer, Graph, GraphNode } from "../../src/graph/types.js";
import { validateGraph } from "../../src/graph/validate.js";
import { sketch } from "./sketch.js";

/** x → conv → bn → relu → fc → softmax, and ids → words. */
function valid(): Graph {
  const g = sketch();
  const x = g.input("x", [null, 4, 4, 2]);
  const ids = g.input("ids", [null, 3], "int32");
  const relu = g.op("relu", "relu", g.batchNorm("bn", g.conv2d("conv", x, { bias: true })));
  const fc = g.dense("fc", g.op("flatten", "flat", relu), 3);
  return g.finish(g.op("softmax", "softmax", fc), g.opaque("words", ids, [null, 3, 2], "Embedding"));
}

type Change = (graph: Graph) => Partial<Graph>;

/** The graph with fields of one node replaced. */
function withNode(name: string, fields: object): Change {
  return ({ nodes }) => ({
    nodes: nodes.map((node) => (node.name === name ? ({ ...node, ...fields } as GraphNode) : node)),
  });
}

function withQuantizers(quantizers: Record<string, unknown>): Change {
  return () => ({ quantizers: quantizers as Record<string, EdgeQuantizer> });
}

const grid = { bits: 8, signed: true, symmetric: true, granularity: "perChannel", axis: 3 };
const dorefa = { weightBits: 1, gradientBits: 32, seed: 7, tensor: 0 };
const own = { bits: 8, signed: true, symmetric: false };
const norm = { layer: {}, mean: "bn/moving_mean", variance: "bn/moving_variance", epsilon: 0.1, momentum: 0.9 };

const RULES: Readonly<Record<string, Change>> = {
  'graph inputs: expected its values in graph.values, got no "y"': () => ({ inputs: ["x", "ids", "y"] }),
  'graph inputs: expected values that nothing else gives, got "x"': () => ({ inputs: ["x", "x"] }),
  "graph inputs: expected names of letters, digits, '.', '_', '-', '/', got \"a b\"": () => ({ inputs: ["a b"] }),
  'graph outputs: expected values of the graph, got "y"': () => ({ outputs: ["y"] }),
  'graph values: expected values of inputs and nodes, got "stray"': ({ values }) => ({
    values: { ...values, stray: { shape: [1], dtype: "float32" } },
  }),
  "conv2d \"_c\": expected a name of letters, digits, '.', '_', '-', '/', got _c": withNode("conv", { name: "_c" }),
  'flatten "relu": expected a name of its own, got the name of another node': withNode("flat", { name: "relu" }),
  'batchNorm "bn": expected inputs that come before it, got "relu"': withNode("bn", { inputs: ["relu"] }),
  'relu "relu": expected one output, got 2': withNode("relu", { outputs: ["relu", "y"] }),
  'relu "relu": expected values that nothing else gives, got "bn"': withNode("relu", { outputs: ["bn"] }),
  'relu "relu": expected its values in graph.values, got no "y"': withNode("relu", { outputs: ["y"] }),
  'relu "relu": expected one input, got 2': withNode("relu", { inputs: ["bn", "bn"] }),
  'relu "relu": expected output [?, 4, 4, 2], got [?, 4, 4, 9]': ({ values }) => ({
    values: { ...values, relu: { shape: [null, 4, 4, 9], dtype: "float32" } },
  }),
  'conv2d "conv": expected float32 inputs, got int32 "ids"': withNode("conv", { inputs: ["ids"] }),

  'conv2d "conv": expected strides of integers ≥ 1, got 0': withNode("conv", { strides: [1, 0] }),
  'conv2d "conv": expected dilations of integers ≥ 1, got 1.5': withNode("conv", { dilations: [1.5, 1] }),
  'maxPool2d "relu": expected poolSize of integers ≥ 1, got -1': withNode("relu", {
    op: "maxPool2d",
    poolSize: [-1, 1],
    strides: [1, 1],
    padding: "same",
  }),
  'upsample2d "relu": expected size of integers ≥ 1, got 0': withNode("relu", { op: "upsample2d", size: [0, 1] }),
  'zeroPad2d "relu": expected padding of integers ≥ 0, got -1': withNode("relu", {
    op: "zeroPad2d",
    padding: [
      [0, -1],
      [0, 0],
    ],
  }),
  'leakyRelu "relu": expected alpha finite, got NaN': withNode("relu", { op: "leakyRelu", alpha: Number.NaN }),
  'batchNorm "bn": expected epsilon > 0, got 0': withNode("bn", { epsilon: 0 }),
  'batchNorm "bn": expected momentum in [0, 1], got 2': withNode("bn", { momentum: 2 }),
  'conv2d "conv": expected epsilon > 0, got -1': withNode("conv", { batchNorm: { ...norm, epsilon: -1 } }),

  'conv2d "conv": expected weights in graph.weights, got no "w"': withNode("conv", { weights: "w" }),
  'conv2d "conv": expected weights [3, 3, 2, 2], got [3, 3, 2, 5]': ({ weights }) => ({
    weights: { ...weights, "conv/kernel": { shape: [3, 3, 2, 5], trainable: true, layer: "conv" } },
  }),
  'conv2d "conv": expected bias [2], got [3]': ({ weights }) => ({
    weights: { ...weights, "conv/bias": { shape: [3], trainable: true, layer: "conv" } },
  }),
  'batchNorm "bn": expected gamma in graph.weights, got no "g"': withNode("bn", { gamma: "g" }),
  'batchNorm "bn": expected variance [2], got [3]': ({ weights }) => ({
    weights: { ...weights, "bn/moving_variance": { shape: [3], trainable: false, layer: "bn" } },
  }),
  'conv2d "conv": expected mean in graph.weights, got no "m"': withNode("conv", { batchNorm: { ...norm, mean: "m" } }),
  'opaque "words": expected weights in graph.weights, got no "embeddings"': withNode("words", {
    weights: ["embeddings"],
  }),
  'weight grid of conv2d "conv": expected bits in 1…16, got 17': withNode("conv", {
    weightGrid: { ...grid, bits: 17 },
  }),
  'weight grid of conv2d "conv": expected an axis in [0, 3], got 4': withNode("conv", {
    weightGrid: { ...grid, axis: 4 },
  }),

  'dorefa of conv2d "conv": expected bits in 1…16, got 17': withNode("conv", { dorefa: { ...dorefa, weightBits: 17 } }),
  'dorefa of conv2d "conv": expected bits in 1…16, got 0': withNode("conv", { dorefa: { ...dorefa, gradientBits: 0 } }),
  'dorefa of conv2d "conv": expected integers seed and tensor in [0, 2^32), got -1': withNode("conv", {
    dorefa: { ...dorefa, tensor: -1 },
  }),
  'dorefa of conv2d "conv": expected no weightGrid and no batchNorm beside it, got one': withNode("conv", {
    dorefa,
    weightGrid: grid,
  }),
  'quantizer of "relu": expected a bound > 0, got 0': withQuantizers({ relu: { bits: 2, signed: false, bound: 0 } }),
  'quantizer of "y": expected a value of the graph, got none of that name': withQuantizers({ y: own }),
  'quantizer of "ids": expected a float32 value, got int32': withQuantizers({ ids: own }),
  'quantizer of "x": expected bits in 1…16, got 0': withQuantizers({ x: { ...own, bits: 0 } }),
  'quantizer of "flat": expected like a value that has parameters, got like "relu"': withQuantizers({
    flat: { like: "relu" },
  }),
  'quantizer of "flat": expected like a value that has parameters, got like "flat"': withQuantizers({
    flat: { like: "flat" },
  }),
  'quantizer of "softmax": expected a scale > 0, got 0': withQuantizers({
    softmax: { bits: 8, signed: true, fixed: { scale: 0, zeroPoint: 0 } },
  }),
  'quantizer of "softmax": expected a zeroPoint in [-128, 127], got 128': withQuantizers({
    softmax: { bits: 8, signed: true, fixed: { scale: 1, zeroPoint: 128 } },
  }),
  'quantizer of "relu": expected fixed parameters on softmax, sigmoid or tanh only, got relu': withQuantizers({
    relu: { bits: 8, signed: true, fixed: { scale: 1, zeroPoint: 0 } },
  }),
  'quantizer of "x": expected fixed parameters on softmax, sigmoid or tanh only, got a graph input': withQuantizers({
    x: { bits: 8, signed: true, fixed: { scale: 1, zeroPoint: 0 } },
  }),
};

describe("validateGraph", () => {
  it("accepts a valid graph, and the same through JSON", () => {
    const graph = {
      ...valid(),
      quantizers: {
        relu: own,
        flat: { like: "relu" },
        softmax: { bits: 8, signed: true, fixed: { scale: 1 / 256, zeroPoint: -128 } },
      },
    };
    validateGraph(graph);
    validateGraph(JSON.parse(JSON.stringify(graph)));
  });

  for (const [message, change] of Object.entries(RULES)) {
    it(message, () => {
      const graph = valid();
      assert.throws(
        () => validateGraph({ ...graph, ...change(graph) }),
        (error) => {
          assert.ok(error instanceof QuantError);
          assert.equal(error.message, message);
          assert.equal(error.code, "invalid-model");
          return true;
        },
      );
    });
  }

  it("asks uses of one layer to be the same but for name, values and what was fused", () => {
    const shared = (fields: object): Graph => {
      const g = sketch();
      const a = g.conv2d("a", g.input("x", [null, 4, 4, 2]), { layer: "conv" });
      const b = g.conv2d("b", a, { layer: "conv" });
      const graph = g.finish(b);
      return { ...graph, ...withNode("b", fields)(graph) };
    };
    validateGraph(shared({ fused: [{ id: "relu", name: "relu", className: "ReLU", config: {} }] }));
    assert.throws(() => validateGraph(shared({ activation: "relu" })), {
      message: 'conv2d "b": expected what "a" is, which uses "conv/kernel" too, got another description',
    });
  });

  it("takes weights of a one-dimensional convolution without their leading 1", () => {
    const g = sketch();
    const conv = g.conv2d("conv", g.input("x", [null, 1, 9, 2]));
    const graph = g.finish(conv);
    const line = { "conv/kernel": { shape: [3, 2, 2], trainable: true, layer: "conv" } };
    validateGraph({ ...graph, ...withNode("conv", { weightsShape: [1, 3, 2, 2] })(graph), weights: line });
    assert.throws(() => validateGraph({ ...graph, weights: line }), {
      message: 'conv2d "conv": expected weights [3, 3, 2, 2], got [3, 2, 2]',
    });
  });
});
