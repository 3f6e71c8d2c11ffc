import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { QuantError } from "../../src/core/errors.js";
import { withBorders } from "../../src/graph/quantized-borders.js";
import type { QuantizedTensor } from "../../src/graph/quantized-graph.js";
import { validateQuantizedGraph } from "../../src/graph/validate-quantized.js";
import { int8, quantizedGraph, smallNet } from "./quantized-sketch.js";
import { randomQuantizedGraph } from "./random-quantized-graph.js";

const real: QuantizedTensor = { dtype: "float32", shape: [1, 2] };

test("float32 borders keep their names, and int8 ones give the graph back", () => {
  const graph = smallNet();
  const float = withBorders(graph, "float32");
  assert.deepEqual([float.inputs, float.outputs], [graph.inputs, graph.outputs]);
  assert.deepEqual(float.tensors.image, { dtype: "float32", shape: [1, 4, 4, 2] });
  assert.deepEqual(float.tensors["image/int8"], graph.tensors.image);
  assert.deepEqual(withBorders(float, "int8"), graph);
  assert.deepEqual(withBorders(float, "float32"), float);
  assert.deepEqual(withBorders(graph, "int8"), graph);
});

test("an input that is clamped keeps a quantize that clamps", () => {
  const graph = quantizedGraph({ x: real, y: int8([1, 2], { qmin: -7 }), z: int8([1, 2]) }, [
    { op: "quantize", inputs: ["x"], output: "y" },
    { op: "relu", inputs: ["y"], output: "z" },
  ]);
  assert.deepEqual(withBorders(graph, "int8"), {
    ...graph,
    tensors: { ...graph.tensors, x: int8([1, 2]) },
  });
});

test("an int8 name that is taken gets another", () => {
  const graph = quantizedGraph({ x: int8([1, 2]), "x/int8": int8([1, 2]) }, [
    { op: "relu", inputs: ["x"], output: "x/int8" },
  ]);
  const float = withBorders(graph, "float32");
  assert.deepEqual(
    float.nodes.map(({ inputs, output }) => [...inputs, output]),
    [
      ["x", "x/int8_1"],
      ["x/int8_1", "x/int8/int8"],
      ["x/int8/int8", "x/int8"],
    ],
  );
  validateQuantizedGraph(float);
});

test("random graphs stay valid", () => {
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => validateQuantizedGraph(withBorders(graph, "float32"))),
    { numRuns: 100 },
  );
});

describe("borders that are float32 for good", () => {
  const refuses = (graph: Parameters<typeof withBorders>[0], message: string, name: string): void => {
    assert.throws(() => withBorders(graph, "int8"), new QuantError("unsupported", message, { name }));
  };
  test("an input with two readers", () => {
    const graph = quantizedGraph({ x: real, y: int8([1, 2]), z: int8([1, 2]) }, [
      { op: "quantize", inputs: ["x"], output: "y" },
      { op: "quantize", inputs: ["x"], output: "z" },
    ]);
    refuses(graph, 'int8 border "x": expected one reader, got 2; keep float32', "x");
  });
  test("two outputs that are one int8 tensor", () => {
    const graph = quantizedGraph({ x: int8([1, 2]), r: int8([1, 2]), y: real, z: real }, [
      { op: "relu", inputs: ["x"], output: "r" },
      { op: "dequantize", inputs: ["r"], output: "y" },
      { op: "dequantize", inputs: ["r"], output: "z" },
    ]);
    const message =
      'int8 border "z": expected an int8 tensor of its own, got "r", which is a border already; keep float32';
    refuses(graph, message, "z");
  });
  test("an output that is quantized again", () => {
    const graph = {
      ...quantizedGraph({ x: int8([1, 2]), y: real, z: int8([1, 2]) }, [
        { op: "dequantize", inputs: ["x"], output: "y" },
        { op: "quantize", inputs: ["y"], output: "z" },
      ]),
      outputs: ["y"],
    };
    const message =
      'int8 border "y": expected an int8 tensor of its own, got "x", which is a border already; keep float32';
    refuses(graph, message, "y");
  });
});
