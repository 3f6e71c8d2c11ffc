import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json } from "../../../src/formats/tfjs-model/artifacts.js";
import {
  isGraphTopology,
  quantizableGraphWeights,
  scaleConstants,
} from "../../../src/formats/tfjs-model/graph-topology.js";

const constant = (name: string): Json => ({ name, op: "Const", attr: { dtype: { type: "DT_FLOAT" } } });
const matmul = (name: string, ...input: string[]): Json => ({ name, op: "MatMul", input });
const w = [{ name: "w", shape: [3, 2] }];

describe("quantizableGraphWeights", () => {
  const found = (nodes: unknown[], weights = w): string[] =>
    quantizableGraphWeights({ node: nodes }, weights).map(({ name, layer }) => `${name} of ${layer.name}`);

  it("follows Identity nodes and output numbers to a constant, and stops at a circle", () => {
    const identity = (name: string, from: string): Json => ({ name, op: "Identity", input: [from] });
    const chain = [constant("w"), identity("i", "w"), identity("j", "i:0"), matmul("m", "x", "j:0")];
    assert.deepEqual(found(chain), ["w of m"]);
    assert.deepEqual(found([identity("i", "j"), identity("j", "i"), matmul("m", "x", "j")]), []);
  });

  it("leaves what is no weight: another op, another input, another rank, no constant, no float", () => {
    assert.deepEqual(found([constant("w"), { name: "a", op: "AddV2", input: ["x", "w"] }]), []);
    assert.deepEqual(found([constant("w"), matmul("m", "w", "x")]), []);
    assert.deepEqual(found([constant("w"), { name: "c", op: "Conv2D", input: ["x", "w"] }]), []);
    assert.deepEqual(found([{ name: "w", op: "Placeholder" }, matmul("m", "x", "w")]), []);
    assert.deepEqual(found([constant("w"), matmul("m", "x", "w")], []), []);
    assert.deepEqual(found([constant("w"), matmul("m", "x", "^w"), matmul("n", "x"), matmul("o")]), []);
  });

  it("survives nodes that are none", () => {
    const odd = [null, 3, "w", [], {}, { op: "constructor", input: ["w"] }, { op: "MatMul", input: [null, {}] }];
    assert.deepEqual(found([...odd, constant("w"), matmul("m", "x", "w")]), ["w of m"]);
  });

  it("takes the axis of the first reader", () => {
    const transposed = { ...matmul("m", "x", "w"), attr: { transpose_b: { b: true } } };
    const axes = (...nodes: Json[]): number[] => quantizableGraphWeights({ node: nodes }, w).map(({ axis }) => axis);
    assert.deepEqual(axes(constant("w"), transposed, matmul("n", "x", "w")), [0]);
    assert.deepEqual(axes(constant("w"), matmul("n", "x", "w"), transposed), [1]);
  });
});

it("scaleConstants puts codes, scales and their product where the constant was", () => {
  const topology = { node: [null, constant("w"), matmul("m", "x", "w")], versions: {} };
  const scaled = { name: "w", codes: "w/codes", scales: "w/scales", scaleShape: [1, 2] };
  const dim = [{ size: "1" }, { size: "2" }];
  const tensor = { dtype: "DT_FLOAT", tensorShape: { dim } };
  assert.deepEqual(scaleConstants(topology, [scaled]), {
    node: [
      null,
      constant("w/codes"),
      { name: "w/scales", op: "Const", attr: { dtype: { type: "DT_FLOAT" }, value: { tensor } } },
      { name: "w", op: "Mul", input: ["w/codes", "w/scales"], attr: { T: { type: "DT_FLOAT" } } },
      matmul("m", "x", "w"),
    ],
    versions: {},
  });
});

it("isGraphTopology: GraphDef JSON", () => {
  assert.equal(isGraphTopology({ node: [] }), true);
  for (const other of [{ node: {} }, {}, null, [], { class_name: "Sequential" }])
    assert.equal(isGraphTopology(other), false);
});
