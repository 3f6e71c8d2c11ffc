import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ROUNDING_RULES } from "../../src/core/rounding-rule.js";
import { sizeOf } from "../../src/core/shape.js";
import type { Int8Tensor, QuantizedGraph } from "../../src/graph/quantized-graph.js";
import type { TensorData } from "../../src/runtime/reference-step.js";
import { runReference } from "../../src/runtime/run-reference.js";
import { randomQuantizedGraph } from "../graph/random-quantized-graph.js";
import { noisyCodes } from "../reference/integer-noise.js";

const int8 = (shape: number[], scale: number, zeroPoint: number): Int8Tensor => ({
  dtype: "int8",
  shape,
  scale,
  zeroPoint,
});

/** float32 → quantize → (x − 1)·w + constant → dequantize, with a reshape that is an output too. */
const GRAPH: QuantizedGraph = {
  name: "small",
  inputs: ["x"],
  outputs: ["y", "flat"],
  tensors: {
    x: { dtype: "float32", shape: [1, 2] },
    q: int8([1, 2], 0.5, 1),
    fc: int8([1, 2], 1, 0),
    two: { ...int8([2], 1, 0), data: Int8Array.of(2, -2) },
    sum: int8([1, 2], 1, 0),
    flat: int8([2], 1, 0),
    y: { dtype: "float32", shape: [1, 2] },
  },
  nodes: [
    { name: "q", op: "quantize", inputs: ["x"], output: "q" },
    {
      name: "fc",
      op: "fullyConnected",
      inputs: ["q"],
      output: "fc",
      weights: Int8Array.of(1, 0, 2, -1),
      weightsShape: [2, 2],
      weightBits: 8,
      weightScales: Float32Array.of(2),
      activation: "linear",
      keepDims: false,
    },
    { name: "sum", op: "add", inputs: ["fc", "two"], output: "sum", activation: "relu" },
    { name: "flat", op: "reshape", inputs: ["sum"], output: "flat" },
    { name: "y", op: "dequantize", inputs: ["sum"], output: "y" },
  ],
};

describe("runReference", () => {
  const x = Float32Array.of(3, 0.5);

  for (const rounding of ROUNDING_RULES) {
    it(`${rounding}: a network by hand`, () => {
      assert.deepEqual(runReference(GRAPH, { x }, { rounding }), {
        y: Float32Array.of(8, 9),
        flat: Int8Array.of(8, 9),
      });
    });
  }

  it("keepAll: every tensor, the constants aside", () => {
    const all = runReference(GRAPH, { x }, { rounding: "integer", keepAll: true });
    assert.deepEqual(Object.keys(all).sort(), ["fc", "flat", "q", "sum", "x", "y"]);
    assert.deepEqual([all.q, all.fc, all.sum], [Int8Array.of(7, 2), Int8Array.of(6, 11), Int8Array.of(8, 9)]);
  });

  it("refuses inputs of another type or size", () => {
    const run = (inputs: Record<string, TensorData>) => () => runReference(GRAPH, inputs, { rounding: "integer" });
    assert.throws(run({}), {
      name: "TypeError",
      message: 'runReference input "x": expected Float32Array, got nothing',
    });
    assert.throws(run({ x: Int8Array.of(1, 2) }), {
      name: "TypeError",
      message: 'runReference input "x": expected Float32Array, got Int8Array',
    });
    assert.throws(run({ x: new Float32Array(3) }), {
      name: "RangeError",
      message: 'runReference input "x": expected 2 elements for shape [1, 2], got 3',
    });
  });

  it("runs networks of every op; the rules are within a few codes of each other after one op", () => {
    fc.assert(
      fc.property(randomQuantizedGraph({ io: "int8", nodes: 1, lowBit: false }), fc.nat(1000), (graph, seed) => {
        const inputs = Object.fromEntries(
          graph.inputs.map((name) => [name, noisyCodes(sizeOf(graph.tensors[name].shape), seed)]),
        );
        const [integer, tflite, float32] = ROUNDING_RULES.map((rounding) =>
          runReference(graph, inputs, { rounding, keepAll: true }),
        );
        const [{ op, output }] = graph.nodes;
        // TensorFlow Lite rounds the step between aligned corners, which moves positions by up to half a pixel in 1,024.
        const most = op === "resizeBilinear" ? 2 : 1;
        for (const other of [tflite, float32]) {
          const size = Math.max(...Array.from(integer[output], (code, i) => Math.abs(code - other[output][i])));
          assert.ok(size <= most, `${op}: ${size} codes apart`);
        }
      }),
    );
  });
});
