import assert from "node:assert/strict";
import { it } from "node:test";
import { sinkReshape } from "../../../src/graph/passes/sink-reshape.js";
import { printGraph } from "../../../src/graph/print-graph.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { sketch } from "../sketch.js";

it("sinkReshape moves a reshape behind batch norm and activation, which then see the map", () => {
  const g = sketch();
  const conv = g.conv2d("conv", g.input("x", [null, 1, 16, 4]));
  const squeezed = g.op("reshape", "squeezed", conv, { targetShape: [16, 4] });
  const graph = g.finish(g.op("tanh", "tanh", g.batchNorm("bn", squeezed)));
  const after = sinkReshape(graph);
  validateGraph(after);
  assert.equal(sinkReshape(after), after);
  assert.equal(
    printGraph(after),
    `
graph "sketch": 4 nodes, 160 weights, 0 quantizers
x         input                [?, 1, 16, 4]
conv      conv2d     x         [?, 1, 16, 4]  3×3 same
squeezed  batchNorm  conv      [?, 1, 16, 4]
bn        tanh       squeezed  [?, 1, 16, 4]
tanh      reshape    bn        [?, 16, 4]     [16, 4]
outputs: tanh
`.trim(),
  );
});

it("sinkReshape leaves reshapes that change the last axis, have two readers, or leave the graph", () => {
  const g = sketch();
  const x = g.input("x", [null, 2, 8, 4]);
  const changed = g.op("reshape", "changed", x, { targetShape: [16, 2, 2] });
  const twice = g.op("reshape", "twice", x, { targetShape: [16, 4] });
  const out = g.op("reshape", "out", x, { targetShape: [16, 4] });
  const conv = g.op("reshape", "before_conv", x, { targetShape: [4, 4, 4] });
  const graph = g.finish(
    g.op("relu", "r1", changed),
    g.op("relu", "r2", twice),
    g.op("tanh", "t2", twice),
    out,
    g.op("relu", "r3", out),
    g.conv2d("conv", conv),
  );
  assert.equal(sinkReshape(graph), graph);
});
