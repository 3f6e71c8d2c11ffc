import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { QuantError } from "../../../src/core/errors.js";
import { readTflite } from "../../../src/formats/tflite/read-tflite.js";
import { writeTflite } from "../../../src/formats/tflite/write-tflite.js";
import { int8, quantizedGraph, smallNet } from "../../graph/quantized-sketch.js";
import { QUANTIZED_OPS, randomQuantizedGraph } from "../../graph/random-quantized-graph.js";
import { decodeByHand } from "./by-hand.js";

test("graphs of every op come back from their files as they were", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => {
      for (const { op } of graph.nodes) seen.add(op);
      assert.deepEqual(readTflite(writeTflite(graph)), graph);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual([...seen].sort(), [...QUANTIZED_OPS, "dequantize"].sort());
});

test("float32 borders, and int8 borders again, are the graph as it was", () => {
  fc.assert(
    fc.property(randomQuantizedGraph({ io: "int8" }), (graph) => {
      const float = readTflite(writeTflite(graph, { io: "float32" }));
      for (const name of [...float.inputs, ...float.outputs]) assert.notEqual(float.tensors[name].dtype, "int8");
      assert.deepEqual([float.inputs, float.outputs], [graph.inputs, graph.outputs]);
      assert.deepEqual(readTflite(writeTflite(float, { io: "int8" })).nodes.length, graph.nodes.length);
    }),
    { numRuns: 100 },
  );
  const graph = smallNet();
  const float = readTflite(writeTflite(graph, { io: "float32" }));
  assert.deepEqual(
    float.nodes.map(({ op, output }) => `${op} ${output}`),
    [
      "quantize image/int8",
      "conv2d conv",
      "maxPool2d pool",
      "reshape flat",
      "fullyConnected fc",
      "softmax probs/int8",
      "add sum/int8",
      "dequantize probs",
      "dequantize sum",
    ],
  );
  assert.deepEqual(readTflite(writeTflite(float, { io: "int8" })), graph);
  assert.deepEqual(writeTflite(graph, { io: "int8" }), writeTflite(graph));
});

test("the file is what the schema says, seen through the flatbuffers library", () => {
  const bytes = writeTflite(smallNet());
  const file = decodeByHand(bytes);
  assert.equal(file.identifier, "TFL3");
  assert.equal(file.version, 3);
  assert.equal(file.description, "bitpress");
  assert.equal(file.subgraphs, 1);
  assert.equal(file.name, "sketch");
  assert.deepEqual([file.inputs, file.outputs], [["image"], ["probs", "sum"]]);
  assert.equal(file.emptyBuffer, true);
  const byName = Object.fromEntries(file.tensors.map((tensor) => [tensor.name, tensor]));
  assert.deepEqual(
    file.operators.map(({ code, deprecatedCode, version, optionsType, inputs, outputs }) => [
      code,
      deprecatedCode,
      version,
      optionsType,
      ...[...inputs, ...outputs].map((index) => file.tensors[index].name),
    ]),
    [
      [3, 3, 3, 1, "image", "conv/weights", "conv/bias", "conv"],
      [17, 17, 2, 5, "conv", "pool"],
      [22, 22, 1, 17, "pool", "flat/shape", "flat"],
      [9, 9, 10, 8, "flat", "fc/weights", "fc/bias", "fc"],
      [25, 25, 2, 9, "fc", "probs"],
      [0, 0, 2, 11, "pool", "offsets", "sum"],
    ],
  );
  const { type, shape, scales, zeroPoints, axis } = byName["conv/weights"];
  assert.deepEqual(
    { type, shape, scales, zeroPoints, axis },
    { type: 9, shape: [3, 3, 3, 2], scales: [0.25, 0.5, 0.125], zeroPoints: [0, 0, 0], axis: 0 },
  );
  // The bias lies on the grid of the products; a bias that is absent is zeros.
  assert.deepEqual(byName["conv/bias"].scales, [0.25 / 128, 0.5 / 128, 0.125 / 128]);
  assert.deepEqual([...new Int32Array(byName["conv/bias"].data!.buffer)], [-100, 5, 2000]);
  assert.deepEqual([...new Int32Array(byName["fc/bias"].data!.buffer)], [0, 0, 0, 0, 0]);
  // Two 4-bit codes to a byte, the first in the low half: −7, −6.
  assert.deepEqual([byName["fc/weights"].type, byName["fc/weights"].data!.length], [17, 30]);
  assert.equal(byName["fc/weights"].data![0], 0xa9);
  assert.deepEqual([byName.image.scales, byName.image.zeroPoints], [[1 / 128], [-3]]);
  assert.deepEqual(
    ["int8", "int32", "int32", "int8", "int32", "int32"].map((kind, slot) =>
      file.operators[0].option(slot, kind as "int8" | "int32"),
    ),
    [0, 1, 1, 1, 1, 1],
  );
  for (const { name, at } of file.tensors) if (at !== undefined) assert.equal(at % 16, 0, name);
  assert.deepEqual(
    file.metadata.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]),
    [["min_runtime_version", "2.11.0\0\0\0\0\0\0\0\0\0\0"]],
  );
  assert.deepEqual(file.signatures, [
    { key: "serving_default", inputs: { image: "image" }, outputs: { probs: "probs", sum: "sum" } },
  ]);
});

test("the same graph gives the same bytes", () => {
  fc.assert(
    fc.property(randomQuantizedGraph(), (graph) => assert.deepEqual(writeTflite(graph), writeTflite(graph))),
    { numRuns: 30 },
  );
});

describe("versions of operators are those of TensorFlow Lite's converter", () => {
  const x = (...shape: number[]) => int8(shape);
  const versions = (tensors: Parameters<typeof quantizedGraph>[0], node: object): [number, number][] =>
    decodeByHand(writeTflite(quantizedGraph(tensors, [{ inputs: ["x"], output: "y", ...node }]))).operators.map(
      ({ code, version }) => [code, version],
    );
  const linear = { weightBits: 8, weightScales: Float32Array.of(1), activation: "linear" };
  const geometry = { strides: [1, 1], padding: "same", dilations: [1, 1] };
  const one = Int8Array.of(1);
  const cases: readonly [string, Parameters<typeof versions>[0], object, number, number][] = [
    [
      "conv",
      { x: x(1, 1, 1, 1), y: x(1, 1, 1, 1) },
      { op: "conv2d", ...linear, ...geometry, weights: one, weightsShape: [1, 1, 1, 1] },
      3,
      3,
    ],
    [
      "conv, 4 bits",
      { x: x(1, 1, 1, 1), y: x(1, 1, 1, 1) },
      { op: "conv2d", ...linear, ...geometry, weightBits: 4, weights: one, weightsShape: [1, 1, 1, 1] },
      3,
      7,
    ],
    [
      "depthwise",
      { x: x(1, 1, 1, 1), y: x(1, 1, 1, 1) },
      { op: "depthwiseConv2d", ...linear, ...geometry, weights: one, weightsShape: [1, 1, 1], multiplier: 1 },
      4,
      3,
    ],
    [
      "depthwise, 4 bits",
      { x: x(1, 1, 1, 1), y: x(1, 1, 1, 1) },
      {
        op: "depthwiseConv2d",
        ...linear,
        ...geometry,
        weightBits: 4,
        weights: one,
        weightsShape: [1, 1, 1],
        multiplier: 1,
      },
      4,
      7,
    ],
    [
      "fc",
      { x: x(1, 1), y: x(1, 1) },
      { op: "fullyConnected", ...linear, weights: one, weightsShape: [1, 1], keepDims: false },
      9,
      4,
    ],
    [
      "fc that keeps dimensions",
      { x: x(1, 1), y: x(1, 1) },
      { op: "fullyConnected", ...linear, weights: one, weightsShape: [1, 1], keepDims: true },
      9,
      5,
    ],
    [
      "fc, 4 bits",
      { x: x(1, 1), y: x(1, 1) },
      { op: "fullyConnected", ...linear, weightBits: 4, weights: one, weightsShape: [1, 1], keepDims: true },
      9,
      10,
    ],
    ["sub", { x: x(1, 2), y: x(1, 2) }, { op: "subtract", inputs: ["x", "x"], activation: "linear" }, 41, 2],
    [
      "sub, broadcast in 5 axes",
      { x: x(1, 2, 1, 1, 2), c: int8([2], { data: Int8Array.of(1, 2) }), y: x(1, 2, 1, 1, 2) },
      { op: "subtract", inputs: ["x", "c"], activation: "linear" },
      41,
      3,
    ],
    ["mul", { x: x(1, 2), y: x(1, 2) }, { op: "multiply", inputs: ["x", "x"], activation: "linear" }, 18, 2],
    [
      "mul that scales up",
      { x: x(1, 2), y: int8([1, 2], { scale: 0.25 }) },
      { op: "multiply", inputs: ["x", "x"], activation: "linear" },
      18,
      3,
    ],
    [
      "pad in 5 axes",
      { x: x(1, 1, 1, 1, 1), y: x(1, 1, 1, 1, 1) },
      {
        op: "pad",
        padding: [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
      34,
      4,
    ],
    ["transpose", { x: x(1, 2), y: x(1, 2) }, { op: "transpose", permutation: [0, 1] }, 39, 2],
    [
      "transpose of 5 axes",
      { x: x(1, 1, 1, 1, 1), y: x(1, 1, 1, 1, 1) },
      { op: "transpose", permutation: [0, 1, 2, 3, 4] },
      39,
      4,
    ],
    [
      "bilinear",
      { x: x(1, 1, 1, 1), y: x(1, 2, 2, 1) },
      { op: "resizeBilinear", alignCorners: true, halfPixelCenters: false },
      23,
      2,
    ],
    [
      "bilinear of half pixels",
      { x: x(1, 1, 1, 1), y: x(1, 2, 2, 1) },
      { op: "resizeBilinear", alignCorners: false, halfPixelCenters: true },
      23,
      3,
    ],
    [
      "nearest",
      { x: x(1, 1, 1, 1), y: x(1, 2, 2, 1) },
      { op: "resizeNearest", alignCorners: false, halfPixelCenters: false },
      97,
      2,
    ],
    [
      "nearest of corners",
      { x: x(1, 1, 1, 1), y: x(1, 2, 2, 1) },
      { op: "resizeNearest", alignCorners: true, halfPixelCenters: false },
      97,
      3,
    ],
    ["argMax", { x: x(1, 2), y: { dtype: "int32", shape: [1] } }, { op: "argMax", axis: 1 }, 56, 2],
    ["hardSwish", { x: x(1, 2), y: x(1, 2) }, { op: "hardSwish" }, 117, 1],
    ["leakyRelu", { x: x(1, 2), y: x(1, 2) }, { op: "leakyRelu", alpha: 0.25 }, 98, 1],
    ["quantize", { x: x(1, 2), y: x(1, 2) }, { op: "quantize" }, 114, 1],
    ["dequantize", { x: x(1, 2), y: { dtype: "float32", shape: [1, 2] } }, { op: "dequantize" }, 6, 2],
  ];
  for (const [title, tensors, node, code, version] of cases) {
    test(title, () => assert.deepEqual(versions(tensors, node), [[code, version]]));
  }
});

describe("qmin", () => {
  const sum = (qmin: number | undefined, fields: object = {}) =>
    quantizedGraph({ x: int8([1, 2]), y: int8([1, 2], { zeroPoint: 112, ...(qmin === undefined ? {} : { qmin }) }) }, [
      { op: "add", inputs: ["x", "x"], output: "y", activation: "linear", ...fields },
    ]);
  const codes = (graph: Parameters<typeof writeTflite>[0]): number[] =>
    decodeByHand(writeTflite(graph)).operators.map(({ code }) => code);

  test("that an op gives by its activation needs nothing", () => {
    assert.deepEqual(codes(sum(112, { activation: "relu" })), [0]);
  });
  test("at the zero point is a fused RELU", () => {
    const file = decodeByHand(writeTflite(sum(112)));
    assert.deepEqual(
      file.operators.map(({ code, option }) => [code, option(0, "int8")]),
      [[0, 1]],
    );
  });
  test("anywhere else is a MAXIMUM, which the reader folds back", () => {
    const file = decodeByHand(writeTflite(sum(100)));
    assert.deepEqual(
      file.operators.map(({ code, version, inputs }) => [code, version, ...inputs.map((i) => file.tensors[i].name)]),
      [
        [0, 2, "x", "x"],
        [55, 2, "y/before", "y/qmin"],
      ],
    );
    assert.deepEqual(readTflite(writeTflite(sum(100))), sum(100));
  });
  test("of a copy is its input's, without an operator of its own", () => {
    const graph = quantizedGraph(
      {
        x: int8([1, 4]),
        y: int8([1, 4], { zeroPoint: 112, qmin: 100 }),
        flat: int8([1, 2, 2], { zeroPoint: 112, qmin: 100 }),
      },
      [
        { op: "quantize", inputs: ["x"], output: "y" },
        { op: "reshape", inputs: ["y"], output: "flat" },
      ],
    );
    assert.deepEqual(codes(graph), [114, 55, 22]);
    assert.deepEqual(readTflite(writeTflite(graph)), graph);
  });
});

test("a bad option and a bad graph are refused", () => {
  assert.throws(
    () => writeTflite(smallNet(), { io: "uint8" as "int8" }),
    new RangeError('writeTflite: expected io to be "int8" or "float32", got uint8'),
  );
  assert.throws(
    () => writeTflite({ ...smallNet(), outputs: ["image"] }),
    new QuantError("invalid-model", 'graph outputs: expected distinct outputs of nodes, got "image"', {
      where: "graph outputs",
    }),
  );
});
