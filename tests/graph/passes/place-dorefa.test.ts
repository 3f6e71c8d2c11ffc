import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DorefaLayerSettings } from "../../../src/graph/passes/dorefa-settings.js";
import { placeDorefa } from "../../../src/graph/passes/place-dorefa.js";
import { printGraph } from "../../../src/graph/print-graph.js";
import type { Graph } from "../../../src/graph/types.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];
const POOL = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };
const UNTOUCHED = { weight: 32, input: 32, output: 32, gradient: 32, index: 0 };

/** The graph with DoReFa's settings by layer name, as printed: the lines on its nodes. */
function placed(graph: Graph, settings: Readonly<Record<string, Partial<DorefaLayerSettings>>>): string[] {
  const result = placeDorefa(graph, { seed: 7, activation: { bound: 1, sign: false } }, ({ name }) =>
    Object.hasOwn(settings, name) ? { ...UNTOUCHED, ...settings[name] } : undefined,
  );
  validateGraph(result);
  const [, ...lines] = printGraph(result).split("\n");
  return lines.map((line) => line.replace(/ {2,}/g, " | "));
}

describe("placeDorefa", () => {
  it("a relu before a quantized layer becomes a clip behind the max pool; batch norms stay, other relus are fused", () => {
    const s = sketch();
    const bn1 = s.batchNorm("bn1", s.conv2d("conv1", s.input("image", MAP)));
    const pool = s.op("maxPool2d", "pool", s.op("relu", "relu1", bn1), POOL);
    const relu2 = s.op("relu6", "relu2", s.batchNorm("bn2", s.conv2d("conv2", pool)));
    const graph = s.finish(s.conv2d("conv3", relu2));
    assert.deepEqual(placed(graph, { conv2: { weight: 1, input: 2, gradient: 4, tensor: 0 } }), [
      "image | input | [?, 8, 8, 4] | observed",
      "conv1 | conv2d | image | [?, 8, 8, 4] | 3×3 same",
      "relu1 | batchNorm | conv1 | [?, 8, 8, 4]",
      "pool | maxPool2d | relu1 | [?, 4, 4, 4] | uint2 [0, 1] | 2×2 stride 2 valid",
      "conv2 | conv2d | pool | [?, 4, 4, 4] | 3×3 same, dorefa w1 g4",
      "relu2 | batchNorm | conv2 | [?, 4, 4, 4] | observed | relu6",
      "conv3 | conv2d | relu2 | [?, 4, 4, 4] | observed | 3×3 same",
      "outputs: conv3",
    ]);
  });

  it("a relu behind the max pool, too; its layer is among those fused", () => {
    const s = sketch();
    const pool = s.op("maxPool2d", "pool", s.conv2d("conv1", s.input("image", MAP)), POOL);
    const graph = s.finish(s.dense("fc", s.op("flatten", "flat", s.op("relu", "relu", pool)), 3));
    const result = placeDorefa(graph, { seed: 0, activation: { bound: 2, sign: false } }, ({ name }) =>
      name === "fc" ? { ...UNTOUCHED, input: 3 } : undefined,
    );
    assert.deepEqual(
      result.nodes.map(({ name, op, outputs, fused }) => [name, op, ...outputs, ...fused.map((layer) => layer.name)]),
      [
        ["conv1", "conv2d", "conv1"],
        ["pool", "maxPool2d", "relu", "relu"],
        ["flat", "flatten", "flat"],
        ["fc", "dense", "fc"],
      ],
    );
    const observed = { bits: 8, signed: true, symmetric: false, observeOnly: true };
    assert.deepEqual(result.quantizers, { image: observed, relu: { bits: 3, signed: false, bound: 2 }, fc: observed });
  });

  it("a residual sum without relu is clipped for the layer that asks, not for the next sum", () => {
    const s = sketch();
    const image = s.input("image", MAP);
    const sum = s.op("add", "sum", [s.conv2d("conv1", image), image]);
    const graph = s.finish(s.op("add", "sum2", [s.conv2d("conv2", sum), sum]));
    assert.deepEqual(placed(graph, { conv2: { weight: 2, input: 2, tensor: 0 } }), [
      "image | input | [?, 8, 8, 4] | observed",
      "conv1 | conv2d | image | [?, 8, 8, 4] | observed | 3×3 same",
      "sum | add | conv1, image | [?, 8, 8, 4] | observed",
      "sum/clipped | identity | sum | [?, 8, 8, 4] | uint2 [0, 1]",
      "conv2 | conv2d | sum/clipped | [?, 8, 8, 4] | observed | 3×3 same, dorefa w2",
      "sum2 | add | conv2, sum | [?, 8, 8, 4] | observed",
      "outputs: sum2",
    ]);
  });

  it("a relu behind a residual sum is clipped for all its readers, once", () => {
    const s = sketch();
    const image = s.input("image", MAP);
    const relu = s.op("relu", "relu", s.op("add", "sum", [s.conv2d("conv1", image), image]));
    const graph = s.finish(s.op("add", "sum2", [s.conv2d("conv2", relu), relu]));
    assert.deepEqual(placed(graph, { conv2: { input: 2 } }), [
      "image | input | [?, 8, 8, 4] | observed",
      "conv1 | conv2d | image | [?, 8, 8, 4] | observed | 3×3 same",
      "relu | add | conv1, image | [?, 8, 8, 4] | uint2 [0, 1]",
      "conv2 | conv2d | relu | [?, 8, 8, 4] | observed | 3×3 same",
      "sum2 | add | conv2, relu | [?, 8, 8, 4] | observed",
      "outputs: sum2",
    ]);
  });

  it("other activations stay and are clipped behind; dropout comes after the clip", () => {
    const s = sketch();
    const tanh = s.op("tanh", "tanh", s.conv2d("conv1", s.input("image", MAP)));
    const drop = s.op("dropout", "drop", tanh, { className: "Dropout", config: { rate: 0.5 } });
    const graph = s.finish(s.conv2d("conv2", drop));
    assert.deepEqual(placed(graph, { conv2: { input: 4 } }).slice(2, 4), [
      "tanh | tanh | conv1 | [?, 8, 8, 4] | uint4 [0, 1]",
      "drop | dropout | tanh | [?, 8, 8, 4] | Dropout",
    ]);
  });

  it("a relu whose input something else reads becomes an identity", () => {
    const s = sketch();
    const conv = s.conv2d("conv1", s.input("image", MAP));
    const graph = s.finish(s.conv2d("conv2", s.op("relu", "relu", conv)), s.op("tanh", "other", conv));
    assert.deepEqual(placed(graph, { conv2: { input: 1 } }).slice(2, 3), [
      "relu | identity | conv1 | [?, 8, 8, 4] | uint1 [0, 1]",
    ]);
  });

  it("an average is clipped as it comes, the relu before it stays", () => {
    const s = sketch();
    const relu = s.op("relu", "relu", s.conv2d("conv1", s.input("image", MAP)));
    const graph = s.finish(s.dense("fc", s.op("mean", "gap", relu, { keepDims: false }), 2));
    assert.deepEqual(placed(graph, { fc: { input: 2 } }).slice(1, 3), [
      "relu | conv2d | image | [?, 8, 8, 4] | observed | 3×3 same, relu",
      "gap | mean | relu | [?, 4] | uint2 [0, 1]",
    ]);
  });

  it("output is what leaves a layer behind its batch norm and relu; the later entry wins, of one entry the output", () => {
    const s = sketch();
    const relu = s.op("relu", "relu", s.batchNorm("bn", s.conv2d("conv1", s.input("image", MAP))));
    const graph = s.finish(s.conv2d("conv2", relu));
    const bitsOf = (output: Partial<DorefaLayerSettings>, input: Partial<DorefaLayerSettings>) =>
      placed(graph, { conv1: output, conv2: input })[2];
    const line = (bits: number) => `relu | batchNorm | conv1 | [?, 8, 8, 4] | uint${bits} [0, 1]`;
    assert.equal(bitsOf({ output: 2 }, { input: 8 }), line(2));
    assert.equal(bitsOf({ output: 2, index: 0 }, { input: 8, index: 1 }), line(8));
    assert.equal(bitsOf({ output: 2, index: 1 }, { input: 8, index: 0 }), line(2));
  });

  it("a shared layer whose uses are followed by different things keeps one description", () => {
    const s = sketch();
    const image = s.input("image", MAP);
    const first = s.op("relu", "relu", s.conv2d("conv", image));
    const second = s.conv2d("again", s.conv2d("between", first), { layer: "conv" });
    const settings = { between: { input: 2 }, conv: { weight: 2, tensor: 0, gradient: 4 } };
    assert.deepEqual(placed(s.finish(second), settings).slice(1, 4), [
      "relu | conv2d | image | [?, 8, 8, 4] | uint2 [0, 1] | 3×3 same, dorefa w2 g4",
      "between | conv2d | relu | [?, 8, 8, 4] | observed | 3×3 same",
      "again | conv2d | between | [?, 8, 8, 4] | observed | 3×3 same, dorefa w2 g4",
    ]);
  });

  it("nothing asked: the activations are fused, nothing else changes", () => {
    const s = sketch();
    const graph = s.finish(s.op("relu", "relu", s.conv2d("conv1", s.input("image", MAP))));
    assert.deepEqual(placed(graph, {}).slice(1, 2), ["relu | conv2d | image | [?, 8, 8, 4] | 3×3 same, relu"]);
  });
});
