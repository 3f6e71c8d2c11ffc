import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDorefa, prepareDorefa } from "../../../src/graph/lower/prepare-dorefa.js";
import type { DorefaLayerSettings } from "../../../src/graph/passes/dorefa-settings.js";
import { placeDorefa } from "../../../src/graph/passes/place-dorefa.js";
import { printGraph } from "../../../src/graph/print-graph.js";
import type { Graph } from "../../../src/graph/types.js";
import { sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];
const POOL = { poolSize: [2, 2], strides: [2, 2], padding: "valid" };
const UNTOUCHED = { weight: 32, input: 32, output: 32, gradient: 32, index: 0 };

function placed(graph: Graph, settings: Readonly<Record<string, Partial<DorefaLayerSettings>>>): Graph {
  return placeDorefa(graph, { seed: 7, activation: { bound: 1, sign: false } }, ({ name }) =>
    Object.hasOwn(settings, name) ? { ...UNTOUCHED, ...settings[name] } : undefined,
  );
}

function linesOf(graph: Graph): string[] {
  const [, ...lines] = printGraph(graph).split("\n");
  return lines.map((line) => line.replace(/ {2,}/g, " | "));
}

/** Three convolutions with batch norm and relu, the one in the middle trained in few bits, and a softmax. */
function network(): Graph {
  const s = sketch();
  const bn1 = s.batchNorm("bn1", s.conv2d("conv1", s.input("image", MAP)));
  const pool = s.op("maxPool2d", "pool", s.op("relu", "relu1", bn1), POOL);
  const relu2 = s.op("relu6", "relu2", s.batchNorm("bn2", s.conv2d("conv2", pool)));
  return s.finish(s.op("softmax", "probs", s.conv2d("conv3", relu2)));
}

describe("prepareDorefa", () => {
  it("batch norms go into the layers with their activations, float layers get 8 bits, softmax its parameters", () => {
    const trained = placed(network(), { conv2: { weight: 1, input: 2, gradient: 4, tensor: 0 } });
    const prepared = prepareDorefa(trained, "int8");
    assert.deepEqual(linesOf(prepared), [
      "image | input | [?, 8, 8, 4] | observed",
      "relu1 | conv2d | image | [?, 8, 8, 4] | 3×3 same, batchNorm, weights int8 per channel",
      "pool | maxPool2d | relu1 | [?, 4, 4, 4] | uint2 [0, 1] | 2×2 stride 2 valid",
      "relu2 | conv2d | pool | [?, 4, 4, 4] | observed | 3×3 same, batchNorm, relu6, dorefa w1 g4",
      "conv3 | conv2d | relu2 | [?, 4, 4, 4] | observed | 3×3 same, weights int8 per channel",
      "probs | softmax | conv3 | [?, 4, 4, 4] | int8 fixed",
      "outputs: probs",
    ]);
    assert.deepEqual(
      prepared.nodes.map(({ fused }) => fused.map(({ name }) => name)),
      [["bn1", "relu1"], [], ["bn2", "relu2"], [], []],
    );
  });

  it("firstLast float: they stay float", () => {
    const trained = placed(network(), { conv2: { weight: 1, input: 2, gradient: 4, tensor: 0 } });
    const grids = prepareDorefa(trained, "float").nodes.flatMap((node) =>
      "weightGrid" in node ? [node.weightGrid] : [],
    );
    assert.deepEqual(grids, []);
  });

  it("weights of 32 bits whose gradient is rounded are float ones", () => {
    const trained = placed(network(), {
      conv2: { weight: 32, gradient: 4, tensor: 0 },
      conv3: { weight: 2, tensor: 1 },
    });
    const [, , , conv2] = linesOf(prepareDorefa(trained, "int8"));
    assert.equal(
      conv2,
      "relu2 | conv2d | pool | [?, 4, 4, 4] | observed | 3×3 same, batchNorm, relu6, weights int8 per channel",
    );
  });

  it("a batch norm behind a value that is rounded stays a node", () => {
    const s = sketch();
    const norm = s.batchNorm("bn", s.conv2d("conv", s.input("image", MAP)));
    const graph = s.finish(norm);
    const quantizers = { conv: { bits: 2, signed: false, bound: 1 } } as const;
    assert.deepEqual(
      prepareDorefa({ ...graph, quantizers }, "int8").nodes.map(({ op }) => op),
      ["conv2d", "batchNorm"],
    );
  });

  it("other graphs come back as they are", () => {
    const graph = network();
    assert.equal(isDorefa(graph), false);
    assert.equal(prepareDorefa(graph, "int8"), graph);
  });
});
