import assert from "node:assert/strict";
import { it } from "node:test";
import { buildGraph, nodeBase } from "../../src/graph/build.js";

const layer = { id: "n", name: "n", className: "ReLU", config: {} };

it("buildGraph infers shapes and gives a validated graph", () => {
  const builder = buildGraph("net");
  const x = builder.input("x", [null, 4]);
  const y = builder.add({ ...nodeBase("y", layer, [x]), op: "relu" });
  assert.equal(y, "y");
  assert.deepEqual(builder.shapeOf("y"), [null, 4]);
  assert.deepEqual(builder.finish([y]), {
    name: "net",
    inputs: ["x"],
    outputs: ["y"],
    values: { x: { shape: [null, 4], dtype: "float32" }, y: { shape: [null, 4], dtype: "float32" } },
    nodes: [{ name: "y", layer, fused: [], inputs: ["x"], outputs: ["y"], op: "relu" }],
    weights: {},
    quantizers: {},
  });
  assert.throws(() => builder.finish(["z"]), { message: 'graph outputs: expected values of the graph, got "z"' });
});

it("buildGraph makes names that are fresh, and valid for tfjs", () => {
  const { freshName } = buildGraph("net");
  assert.deepEqual(["conv", "conv", "conv.2", "conv", "a b:0", "_x", "__proto__", "é"].map(freshName), [
    "conv",
    "conv.2",
    "conv.2.2",
    "conv.3",
    "a_b_0",
    "x_x",
    "x__proto__",
    "x_",
  ]);
});

it("buildGraph, errors", () => {
  const builder = buildGraph("net");
  builder.input("x", [null, 4]);
  assert.throws(() => builder.shapeOf("y"), {
    name: "TypeError",
    message: 'buildGraph: expected a value declared before, got "y"',
  });
  assert.throws(() => builder.add({ ...nodeBase("n", layer, ["y"]), op: "relu" }), {
    message: 'buildGraph: expected a value declared before, got "y"',
  });
  const opaque = { op: "opaque", className: "X", config: {}, weights: [], reason: "class X", trainable: true } as const;
  assert.throws(() => builder.add({ ...nodeBase("n", layer, ["x"]), ...opaque }), {
    name: "TypeError",
    message: 'buildGraph: expected a shape for "n", got none',
  });
});

it("freshValue gives a name that no value has, though a node may", () => {
  const builder = buildGraph("net");
  const x = builder.input("x", [null, 4]);
  builder.add({ ...nodeBase(builder.freshName("fc"), layer, [x], "fc/linear"), op: "relu" });
  assert.equal(builder.freshValue("fc"), "fc");
  assert.equal(builder.freshValue("fc/linear"), "fc/linear.2");
  assert.equal(builder.freshName("fc"), "fc.2", "taken from now on");
});
