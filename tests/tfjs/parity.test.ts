import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { QuantizedGraph } from "../../src/graph/quantized-graph.js";
import { compareBatch, noCounts } from "../../src/tfjs/parity.js";

/** x − zero point 0, in steps of 1, and twice its relu: y = relu(x), z = relu6(y). */
const GRAPH: QuantizedGraph = {
  name: "relus",
  inputs: ["x"],
  outputs: ["z"],
  tensors: {
    x: { dtype: "float32", shape: [1, 2] },
    q: { dtype: "int8", shape: [1, 2], scale: 1, zeroPoint: 0 },
    y: { dtype: "int8", shape: [1, 2], scale: 1, zeroPoint: 0, qmin: 0 },
    z: { dtype: "int8", shape: [1, 2], scale: 1, zeroPoint: 0, qmin: 0 },
  },
  nodes: [
    { op: "quantize", name: "q", inputs: ["x"], output: "q" },
    { op: "relu", name: "y", inputs: ["q"], output: "y" },
    { op: "relu6", name: "z", inputs: ["y"], output: "z" },
  ],
};

const compare = (codes: Readonly<Record<string, readonly number[]>>) => {
  const counts = new Map(["q", "y", "z"].map((name) => [name, noCounts()] as const));
  const batch = {
    repeats: 2,
    inputs: [Float32Array.of(-1, 2, 3, 9)],
    codes: new Map(Object.entries(codes).map(([name, values]) => [name, Int8Array.from(values)] as const)),
  };
  const output = compareBatch(GRAPH, batch, "integer", counts, "z");
  return { output, counts: Object.fromEntries(counts) };
};

const SAME = { differing: 0, largest: 0 };

describe("compareBatch", () => {
  it("equal codes: no differences, and the output of the whole", () => {
    const codes = { q: [-1, 2, 3, 9], y: [0, 2, 3, 9], z: [0, 2, 3, 6] };
    const equal = { codes: 4, alone: SAME, endToEnd: SAME };
    assert.deepEqual(compare(codes), { output: Int8Array.of(0, 2, 3, 6), counts: { q: equal, y: equal, z: equal } });
  });

  it("alone, a layer gets the simulation's codes; end to end, those of the integers before it", () => {
    const codes = { q: [-1, 2, 3, 9], y: [0, 2, 1, 8], z: [0, 2, 1, 6] };
    assert.deepEqual(compare(codes), {
      output: Int8Array.of(0, 2, 3, 6),
      counts: {
        q: { codes: 4, alone: SAME, endToEnd: SAME },
        y: { codes: 4, alone: { differing: 2, largest: 2 }, endToEnd: { differing: 2, largest: 2 } },
        z: { codes: 4, alone: SAME, endToEnd: { differing: 1, largest: 2 } },
      },
    });
  });

  it("tensors whose codes the simulation does not tell are handed on as computed", () => {
    const codes = { q: [-1, 2, 3, 8], z: [0, 2, 4, 6] };
    assert.deepEqual(compare(codes).counts, {
      q: { codes: 4, alone: { differing: 1, largest: 1 }, endToEnd: { differing: 1, largest: 1 } },
      y: noCounts(),
      z: { codes: 4, alone: { differing: 1, largest: 1 }, endToEnd: { differing: 1, largest: 1 } },
    });
  });
});
