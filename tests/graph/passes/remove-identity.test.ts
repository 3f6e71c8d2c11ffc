import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { removeIdentity } from "../../../src/graph/passes/remove-identity.js";
import type { Graph } from "../../../src/graph/types.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];

/** "relu(x) → y": what is left of a graph after the pass. */
function left(graph: Graph): string[] {
  const after = removeIdentity(graph);
  validateGraph(after);
  assert.deepEqual(after.outputs, graph.outputs, "outputs keep their names");
  assert.equal(removeIdentity(after), after, "twice");
  return after.nodes.map(({ op, inputs, outputs }) => `${op}(${inputs.join(", ")}) → ${outputs[0]}`);
}

describe("removeIdentity", () => {
  it("takes out every node that does nothing", () => {
    const g = sketch();
    const pool = { poolSize: [1, 1], strides: [1, 1], padding: "valid" };
    let y = g.op("relu", "first", g.input("x", MAP));
    y = g.op("identity", "linear", y);
    y = g.op("dropout", "dropout", y, { className: "Dropout", config: { rate: 0 } });
    y = g.op("reshape", "reshape", y, { targetShape: [8, 8, 4] });
    y = g.op("permute", "permute", y, { permutation: [0, 1, 2, 3] });
    y = g.op("zeroPad2d", "pad", y, {
      padding: [
        [0, 0],
        [0, 0],
      ],
    });
    y = g.op("maxPool2d", "max", y, pool);
    y = g.op("averagePool2d", "average", y, pool);
    y = g.op("upsample2d", "up", y, { size: [1, 1], interpolation: "nearest" });
    y = g.op("concat", "concat", [y], { axis: 3 });
    assert.deepEqual(left(g.finish(g.op("relu6", "last", y))), ["relu(x) → first", "relu6(first) → last"]);
  });

  it("leaves nodes that do something", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const graph = g.finish(
      g.op("dropout", "dropout", x, { className: "Dropout", config: { rate: 0.1 } }),
      g.op("dropout", "noise", x, { className: "GaussianNoise", config: { stddev: 1 } }),
      g.op("permute", "permute", x, { permutation: [0, 2, 1, 3] }),
      g.op("zeroPad2d", "pad", x, {
        padding: [
          [0, 0],
          [0, 1],
        ],
      }),
      g.op("maxPool2d", "max", x, { poolSize: [1, 1], strides: [2, 2], padding: "valid" }),
      g.op("upsample2d", "up", x, { size: [1, 2], interpolation: "nearest" }),
    );
    assert.equal(removeIdentity(graph), graph);
  });

  it("names the node before it after an output of the graph, for all its readers", () => {
    const g = sketch();
    const y = g.op("relu", "y", g.input("x", MAP));
    const other = g.op("relu6", "other", y);
    const graph = g.finish(g.op("identity", "out", g.op("identity", "between", y)), other);
    assert.deepEqual(left(graph), ["relu(x) → out", "relu6(out) → other"]);
  });

  it("stays where an output would become an input or another output", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const y = g.op("relu", "y", x);
    const through = g.op("identity", "through", x);
    const first = g.op("identity", "first", y);
    const second = g.op("identity", "second", y);
    const z = g.op("relu6", "z", x);
    const graph = g.finish(through, first, second, z, g.op("identity", "third", z));
    assert.deepEqual(left(graph), [
      "relu(x) → first",
      "identity(x) → through",
      "identity(first) → second",
      "relu6(x) → z",
      "identity(z) → third",
    ]);
  });

  it("reads through reshapes, and drops those that nothing reads any more", () => {
    const g = sketch();
    const rows = g.op("reshape", "rows", g.input("x", MAP), { targetShape: [64, 4] });
    const flat = g.op("flatten", "flat", rows);
    const back = g.op("reshape", "back", flat, { targetShape: [8, 8, 4] });
    const graph = g.finish(g.op("relu", "relu", back), flat);
    assert.deepEqual(left(graph), ["flatten(x) → flat", "relu(x) → relu"]);
  });

  it("keeps a reshape that is an output", () => {
    const g = sketch();
    const rows = g.op("reshape", "rows", g.input("x", MAP), { targetShape: [64, 4] });
    const graph = g.finish(g.op("reshape", "back", rows, { targetShape: [4, 64] }), rows);
    assert.deepEqual(left(graph), ["reshape(x) → rows", "reshape(x) → back"]);
  });
});
