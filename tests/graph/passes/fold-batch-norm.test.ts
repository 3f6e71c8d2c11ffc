import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foldBatchNorm } from "../../../src/graph/passes/fold-batch-norm.js";
import type { Graph } from "../../../src/graph/types.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];

/** What nodes of the graph there are and what they give: "conv2d → bn". */
function summary(graph: Graph): string[] {
  validateGraph(graph);
  assert.deepEqual(foldBatchNorm(graph), foldBatchNorm(foldBatchNorm(graph)), "twice");
  return graph.nodes.map(({ op, outputs }) => `${op} → ${outputs[0]}`);
}

describe("foldBatchNorm", () => {
  it("takes the batch norm into the node before it, with all that training needs", () => {
    const g = sketch();
    const graph = g.finish(g.batchNorm("bn", g.conv2d("conv", g.input("x", MAP)), { momentum: 0.9, trainable: false }));
    const folded = foldBatchNorm(graph);
    const [norm] = graph.nodes.slice(1);
    assert.deepEqual(folded, {
      ...graph,
      nodes: [
        {
          ...graph.nodes[0],
          outputs: ["bn"],
          fused: [norm.layer],
          batchNorm: {
            layer: norm.layer,
            gamma: "bn/gamma",
            beta: "bn/beta",
            mean: "bn/moving_mean",
            variance: "bn/moving_variance",
            epsilon: 0.001,
            momentum: 0.9,
            trainable: false,
          },
        },
      ],
      values: { x: graph.values.x, bn: graph.values.bn },
    });
    assert.deepEqual(summary(folded), ["conv2d → bn"]);
  });

  it("leaves out gamma and beta where the layer has none", () => {
    const g = sketch();
    const norm = g.batchNorm("bn", g.dense("fc", g.input("x", [null, 4]), 3), { gamma: undefined, beta: undefined });
    const [node] = foldBatchNorm(g.finish(norm)).nodes;
    assert.ok(node.op === "dense" && node.batchNorm !== undefined);
    assert.deepEqual(Object.keys(node.batchNorm), ["layer", "mean", "variance", "epsilon", "momentum", "trainable"]);
  });

  it("stays away from an activation, a second reader, an output of the graph, few bits, and what is no linear node", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const active = g.batchNorm("bn1", g.conv2d("active", x, { activation: "relu" }));
    const read = g.conv2d("read_twice", x);
    const out = g.conv2d("output", x);
    const dorefa = { weightBits: 1, gradientBits: 4, seed: 0, tensor: 0 };
    const few = g.batchNorm("bn5", g.conv2d("few_bits", x, { dorefa }));
    const lone = g.batchNorm("bn4", x);
    const graph = g.finish(active, read, g.batchNorm("bn2", read), out, g.batchNorm("bn3", out), lone, few);
    assert.equal(foldBatchNorm(graph), graph);
  });

  it("folds only the first of two in a row", () => {
    const g = sketch();
    const graph = g.finish(g.batchNorm("bn2", g.batchNorm("bn1", g.conv2d("conv", g.input("x", MAP)))));
    assert.deepEqual(summary(foldBatchNorm(graph)), ["conv2d → bn1", "batchNorm → bn2"]);
  });

  it("folds a shared layer where every use has the same batch norm", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const a = g.batchNorm("bn_a", g.conv2d("a", x, { layer: "conv" }), { layer: "bn" });
    const b = g.batchNorm("bn_b", g.conv2d("b", a, { layer: "conv" }), { layer: "bn" });
    assert.deepEqual(summary(foldBatchNorm(g.finish(b))), ["conv2d → bn_a", "conv2d → bn_b"]);
  });

  it("does not fold a shared layer with a batch norm behind some uses, or different ones", () => {
    for (const other of [undefined, "other"]) {
      const g = sketch();
      const x = g.input("x", MAP);
      const a = g.batchNorm("bn_a", g.conv2d("a", x, { layer: "conv" }), { layer: "bn" });
      const b = g.conv2d("b", a, { layer: "conv" });
      const graph = g.finish(other === undefined ? b : g.batchNorm("bn_b", b, { layer: other }));
      assert.equal(foldBatchNorm(graph), graph);
    }
  });

  it("the activation that a batch norm took in, and the layers of both, come along", () => {
    const g = sketch();
    const fused = [{ id: "relu", name: "relu", className: "ReLU", config: {} }];
    const graph = g.finish(g.batchNorm("bn", g.conv2d("conv", g.input("x", MAP)), { activation: "relu6", fused }));
    const [node] = foldBatchNorm(graph).nodes;
    assert.ok(node.op === "conv2d");
    assert.deepEqual([node.activation, node.fused.map(({ name }) => name)], ["relu6", ["bn", "relu"]]);
  });

  it("does not fold a batch norm behind a value that is quantized", () => {
    const g = sketch();
    const bare = g.finish(g.batchNorm("bn", g.conv2d("conv", g.input("x", MAP))));
    const graph: Graph = { ...bare, quantizers: { conv: { bits: 2, signed: false, bound: 1 } } };
    assert.equal(foldBatchNorm(graph), graph);
  });

  it("does not fold a batch norm that is used elsewhere too", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const a = g.batchNorm("bn_a", g.conv2d("a", x), { layer: "bn" });
    const graph = g.finish(g.batchNorm("bn_b", g.conv2d("b", a), { layer: "bn" }));
    assert.equal(foldBatchNorm(graph), graph);
  });
});
