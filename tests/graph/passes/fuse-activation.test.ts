import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fuseActivation } from "../../../src/graph/passes/fuse-activation.js";
import type { Graph } from "../../../src/graph/types.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];

/** "conv2d relu → r": what is left of a graph after the pass. */
function fused(graph: Graph): string[] {
  const after = fuseActivation(graph);
  validateGraph(after);
  assert.equal(fuseActivation(after), after, "twice");
  return after.nodes.map((node) => {
    const activation = "activation" in node && node.activation !== "linear" ? ` ${node.activation}` : "";
    return `${node.op}${activation} → ${node.outputs[0]}`;
  });
}

describe("fuseActivation", () => {
  it("takes relu and relu6 into every node that can clamp", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const conv = g.op("relu", "r1", g.conv2d("conv", x));
    const norm = g.op("relu6", "r2", g.batchNorm("bn", conv));
    const add = g.op("relu", "r3", g.op("add", "add", [norm, x]));
    const sub = g.op("relu6", "r4", g.op("subtract", "sub", [add, x]));
    const mul = g.op("relu", "r5", g.op("multiply", "mul", [sub, x]));
    const fc = g.op("relu6", "r6", g.dense("fc", mul, 3));
    assert.deepEqual(fused(g.finish(fc)), [
      "conv2d relu → r1",
      "batchNorm relu6 → r2",
      "add relu → r3",
      "subtract relu6 → r4",
      "multiply relu → r5",
      "dense relu6 → r6",
    ]);
  });

  it("remembers the layer it took in, but not one that the node came from", () => {
    const g = sketch();
    const graph = g.finish(g.op("relu", "relu", g.conv2d("conv", g.input("x", MAP))));
    const [conv, relu] = graph.nodes;
    assert.deepEqual(fuseActivation(graph).nodes[0].fused, [relu.layer]);
    const inside = { ...graph, nodes: [conv, { ...relu, layer: conv.layer }] };
    assert.deepEqual(fuseActivation(inside).nodes[0].fused, []);
  });

  it("leaves activations behind concat, pools, mean, another activation", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const pool = { poolSize: [2, 2], strides: [2, 2], padding: "same" };
    const graph = g.finish(
      g.op("relu", "r1", g.op("concat", "concat", [x, x], { axis: 3 })),
      g.op("relu", "r2", g.op("maxPool2d", "max", x, pool)),
      g.op("relu", "r3", g.op("mean", "mean", x, { keepDims: false })),
      g.op("relu", "r4", g.op("leakyRelu", "leaky", x, { alpha: 0.1 })),
      g.op("relu6", "r5", g.conv2d("conv", x, { activation: "relu" })),
    );
    assert.equal(fuseActivation(graph), graph);
  });

  it("leaves an activation whose input has another reader or leaves the graph, and functions other than relu", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const read = g.conv2d("read", x);
    const out = g.conv2d("out", x);
    const graph = g.finish(
      g.op("relu", "r1", read),
      g.op("add", "add", [read, x]),
      out,
      g.op("relu", "r2", out),
      g.op("sigmoid", "s", g.conv2d("conv", x)),
    );
    assert.equal(fuseActivation(graph), graph);
  });

  it("fuses a shared layer where all uses have the same activation, else none", () => {
    const shared = (second: "relu" | "relu6" | undefined): Graph => {
      const g = sketch();
      const a = g.op("relu", "r1", g.conv2d("a", g.input("x", MAP), { layer: "conv" }));
      const b = g.conv2d("b", a, { layer: "conv" });
      return g.finish(second === undefined ? b : g.op(second, "r2", b));
    };
    assert.deepEqual(fused(shared("relu")), ["conv2d relu → r1", "conv2d relu → r2"]);
    for (const second of ["relu6", undefined] as const) {
      const graph = shared(second);
      assert.equal(fuseActivation(graph), graph);
    }
  });
});
