import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gridOf } from "../../../src/core/grid.js";
import { sizeOf } from "../../../src/core/shape.js";
import { type LowerOptions, lower } from "../../../src/graph/lower/lower.js";
import type { QuantizedGraph, QuantizedNode } from "../../../src/graph/quantized-graph.js";
import type { Graph } from "../../../src/graph/types.js";
import { runReference } from "../../../src/runtime/run-reference.js";
import { type Sketch, sketch } from "../sketch.js";

/** Scale and zero point of a value in 8 bits, or in some others. */
type Own = readonly [scale: number, zeroPoint: number, bits?: number];

const GRID = { bits: 8, granularity: "perChannel", axis: 3, symmetric: true, signed: true } as const;
const POOL = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;

/** Lowers a graph whose named values have their own quantizers; all weights are 1, 2, 3 …, in turn of both signs; variances 1, 2 …. */
function lowered(graph: Graph, own: Readonly<Record<string, Own>>, options?: LowerOptions): QuantizedGraph {
  const quantizers = Object.fromEntries(
    Object.keys(own).map((value) => [value, { bits: 8, signed: true, symmetric: false }] as const),
  );
  const params = Object.entries(own).map(
    ([value, [scale, zeroPoint, bits = 8]]) => [value, { scale, zeroPoint, ...gridOf("test", { bits }) }] as const,
  );
  const weights = Object.entries(graph.weights).map(
    ([name, { shape }]) =>
      [
        name,
        Float32Array.from({ length: sizeOf(shape) }, (_, i) =>
          i % 2 === 0 || name.endsWith("variance") ? i + 1 : -i - 1,
        ),
      ] as const,
  );
  return lower({ ...graph, quantizers }, { weights: new Map(weights), params: new Map(params) }, options);
}

/** Each node in a line: what it computes from what, and the scale and zero point it writes on. */
function lines({ nodes, tensors }: QuantizedGraph): string[] {
  return nodes.map(({ op, inputs, output }) => {
    const tensor = tensors[output];
    const grid = tensor.dtype === "int8" ? `${tensor.scale} ${tensor.zeroPoint}` : tensor.dtype;
    return `${output} = ${op}(${inputs.join(", ")}) [${tensor.shape.join(", ")}] ${grid}`;
  });
}

function nodeOf<Op extends QuantizedNode["op"]>({ nodes }: QuantizedGraph, op: Op): Extract<QuantizedNode, { op: Op }> {
  const found = nodes.filter((node) => node.op === op);
  assert.equal(found.length, 1, `one ${op}`);
  return found[0] as Extract<QuantizedNode, { op: Op }>;
}

/** One op between codes, from x [?, 4, 4, 2] on the grid 0.5, 3. */
function single(
  build: (s: Sketch, x: string) => unknown,
  own: Readonly<Record<string, Own>>,
  shape: readonly (number | null)[] = [null, 4, 4, 2],
): QuantizedGraph {
  const s = sketch();
  build(s, s.input("x", shape));
  return lowered(s.finish("y"), { x: [0.5, 3], ...own }, { io: "int8" });
}

describe("lower: borders", () => {
  const graph = () => {
    const s = sketch("net");
    s.op("relu", "y", s.input("x", [null, 3]));
    return s.finish("y");
  };
  const own = { x: [0.5, 3], y: [0.25, -128] } as const;

  it("float32: tensors of the model's names are float, their codes are called …/int8", () => {
    const found = lowered(graph(), own);
    assert.deepEqual([found.name, found.inputs, found.outputs], ["net", ["x"], ["y"]]);
    assert.deepEqual(lines(found), [
      "x/int8 = quantize(x) [1, 3] 0.5 3",
      "y/int8 = relu(x/int8) [1, 3] 0.25 -128",
      "y = dequantize(y/int8) [1, 3] float32",
    ]);
    assert.deepEqual(found.tensors.x, { dtype: "float32", shape: [1, 3] });
  });

  it("int8: codes come in and go out under the model's names", () => {
    const found = lowered(graph(), own, { io: "int8" });
    assert.deepEqual([found.inputs, found.outputs], [["x"], ["y"]]);
    assert.deepEqual(lines(found), ["y = relu(x) [1, 3] 0.25 -128"]);
    assert.deepEqual(found.tensors.x, { dtype: "int8", shape: [1, 3], scale: 0.5, zeroPoint: 3 });
  });

  it("names that are taken: another is found", () => {
    const s = sketch();
    s.op("relu", "y", s.op("relu", "x/int8", s.input("x", [null, 3])));
    const found = lowered(s.finish("y"), { ...own, "x/int8": [1, 0] });
    assert.deepEqual(lines(found).slice(0, 2), [
      "x/int8.2 = quantize(x) [1, 3] 0.5 3",
      "x/int8 = relu(x/int8.2) [1, 3] 1 0",
    ]);
  });

  it("outputs that are inside values, one twice, an identity, an input", () => {
    const s = sketch();
    const x = s.input("x", [null, 3]);
    const y = s.op("relu", "y", x);
    s.op("dropout", "same", s.op("identity", "id", y), { className: "Dropout", config: { rate: 0.5 } });
    s.op("relu6", "z", "same");
    const inner = s.finish("y", "y", "same", "z", "x");
    const grids = { ...own, z: [0.125, -128] } as const;
    const float = lowered(inner, grids);
    assert.deepEqual(float.outputs, ["y", "y/output", "same", "z", "x/output"]);
    assert.deepEqual(lines(float), [
      "x/int8 = quantize(x) [1, 3] 0.5 3",
      "y/int8 = relu(x/int8) [1, 3] 0.25 -128",
      "z/int8 = relu6(y/int8) [1, 3] 0.125 -128",
      "y = dequantize(y/int8) [1, 3] float32",
      "y/output = dequantize(y/int8) [1, 3] float32",
      "same = dequantize(y/int8) [1, 3] float32",
      "z = dequantize(z/int8) [1, 3] float32",
      "x/output = dequantize(x/int8) [1, 3] float32",
    ]);
    const int8 = lowered(inner, grids, { io: "int8" });
    assert.deepEqual(int8.outputs, ["y", "y/output", "same", "z", "x/output"]);
    assert.deepEqual(lines(int8), [
      "y = relu(x) [1, 3] 0.25 -128",
      "z = relu6(y) [1, 3] 0.125 -128",
      "y/output = reshape(y) [1, 3] 0.25 -128",
      "same = reshape(y) [1, 3] 0.25 -128",
      "x/output = reshape(x) [1, 3] 0.5 3",
    ]);
  });

  it("a batch of known size stays", () => {
    const s = sketch();
    s.op("relu", "y", s.input("x", [7, 3]));
    assert.deepEqual(lines(lowered(s.finish("y"), own, { io: "int8" })), ["y = relu(x) [7, 3] 0.25 -128"]);
  });
});

describe("lower: layers with weights", () => {
  it("conv2d: weights [out, kh, kw, in], geometry and activation", () => {
    const found = single(
      (s, x) =>
        s.conv2d("y", x, {
          out: 3,
          bias: true,
          weightGrid: GRID,
          strides: [2, 1],
          dilations: [1, 2],
          activation: "relu6",
        }),
      { y: [64, 0] },
    );
    assert.deepEqual(lines(found), ["y = conv2d(x) [1, 2, 4, 3] 64 0"]);
    const { weights, weightsShape, weightScales, bias, ...node } = nodeOf(found, "conv2d");
    assert.deepEqual(weightsShape, [3, 3, 3, 2]);
    // kernel[i] = ±(i + 1), channel i mod 3; the largest of 54 are 52, −53… at the last row.
    assert.deepEqual(
      [...weightScales],
      [52, 53, 54].map((largest) => Math.fround(largest / 127)),
    );
    const code = (i: number) => Math.round(((i % 2 === 0 ? i + 1 : -i - 1) / (52 + (i % 3))) * 127);
    const expected = [0, 1, 2].flatMap((c) => Array.from({ length: 18 }, (_, i) => code(3 * i + c)));
    assert.deepEqual([...weights], expected);
    assert.deepEqual(
      [...(bias ?? [])],
      [1, -2, 3].map((b, c) => Math.round(b / (0.5 * weightScales[c]))),
    );
    assert.deepEqual(node, {
      op: "conv2d",
      name: "y",
      inputs: ["x"],
      output: "y",
      weightBits: 8,
      activation: "relu6",
      strides: [2, 1],
      dilations: [1, 2],
      padding: "same",
    });
  });

  it("depthwiseConv2d: weights [kh, kw, in·multiplier] as they are", () => {
    const s = sketch();
    const x = s.input("x", [null, 4, 4, 2]);
    const conv = s.conv2d("c", x, { out: 3, weightGrid: GRID });
    const found = s.finish(conv);
    const node = {
      ...found.nodes[0],
      op: "depthwiseConv2d",
      weightsShape: [3, 3, 2, 3],
      padding: "valid",
    };
    const graph = {
      ...found,
      nodes: [node],
      values: { ...found.values, c: { shape: [null, 2, 2, 6], dtype: "float32" } },
      weights: { "c/kernel": { ...found.weights["c/kernel"], shape: [3, 3, 2, 3] } },
    } as Graph;
    const integers = lowered(graph, { x: [0.5, 3], c: [64, 0] }, { io: "int8" });
    assert.deepEqual(lines(integers), ["c = depthwiseConv2d(x) [1, 2, 2, 6] 64 0"]);
    const { weights, weightsShape, weightScales, multiplier, bias } = nodeOf(integers, "depthwiseConv2d");
    assert.deepEqual([weightsShape, multiplier, bias, weightScales.length], [[3, 3, 6], 3, undefined, 6]);
    const code = (i: number) => Math.round(((i % 2 === 0 ? i + 1 : -i - 1) / (49 + (i % 6))) * 127);
    assert.deepEqual(
      [...weights],
      Array.from({ length: 54 }, (_, i) => code(i)),
    );
  });

  it("dense: fullyConnected, weights [out, in]; of higher rank it keeps the leading axes", () => {
    const weightGrid = { ...GRID, axis: 1, bits: 4 };
    const flat = single((s, x) => s.dense("y", x, 3, { weightGrid }), { y: [64, 0] }, [null, 2]);
    assert.deepEqual(lines(flat), ["y = fullyConnected(x) [1, 3] 64 0"]);
    const { weights, weightsShape, keepDims, weightBits } = nodeOf(flat, "fullyConnected");
    // kernel [[1, −2, 3], [−4, 5, −6]] by column, in steps of 4/7, 5/7, 6/7
    assert.deepEqual([[...weights], weightsShape, keepDims, weightBits], [[2, -7, -3, 7, 4, -7], [3, 2], false, 4]);
    const rows = single((s, x) => s.dense("y", x, 3, { weightGrid }), { y: [64, 0] }, [null, 5, 2]);
    assert.deepEqual(lines(rows), ["y = fullyConnected(x) [1, 5, 3] 64 0"]);
    assert.equal(nodeOf(rows, "fullyConnected").keepDims, true);
  });

  it("a batch norm of its own is a depthwise 1 × 1 convolution with weights of ±127", () => {
    const map = single((s, x) => s.batchNorm("y", x, { activation: "relu", epsilon: 1 }), { y: [1, -128] });
    assert.deepEqual(lines(map), ["y = depthwiseConv2d(x) [1, 4, 4, 2] 1 -128"]);
    const { weights, weightScales, weightsShape, activation } = nodeOf(map, "depthwiseConv2d");
    assert.deepEqual([[...weights], weightsShape, activation], [[127, -127], [1, 1, 2], "relu"]);
    assert.equal(weightScales.length, 2);
  });

  it("and of values that are no map between two reshapes", () => {
    const rows = single((s, x) => s.batchNorm("y", x, { epsilon: 1 }), { y: [1, 0] }, [null, 3, 5, 2]);
    assert.deepEqual(lines(rows), ["y = depthwiseConv2d(x) [1, 3, 5, 2] 1 0"]);
    const sequence = single((s, x) => s.batchNorm("y", x, { epsilon: 1 }), { y: [1, 0] }, [null, 5, 2]);
    assert.deepEqual(lines(sequence), [
      "y/input = reshape(x) [1, 1, 5, 2] 0.5 3",
      "y/map = depthwiseConv2d(y/input) [1, 1, 5, 2] 1 0",
      "y = reshape(y/map) [1, 5, 2] 1 0",
    ]);
    const vector = single((s, x) => s.batchNorm("y", x, { epsilon: 1 }), { y: [1, 0] }, [null, 2]);
    assert.deepEqual(lines(vector)[0], "y/input = reshape(x) [1, 1, 1, 2] 0.5 3");
  });

  it("uses of one layer are quantized each for its own input", () => {
    const s = sketch();
    const a = s.conv2d("a", s.input("x", [null, 4, 4, 2]), { layer: "shared", bias: true, weightGrid: GRID });
    s.conv2d("b", a, { layer: "shared", bias: true, weightGrid: GRID });
    const found = lowered(s.finish("b"), { x: [0.5, 3], a: [64, 0], b: [4096, 0] }, { io: "int8" });
    const [first, second] = found.nodes.filter((node) => node.op === "conv2d");
    assert.deepEqual(first.weights, second.weights);
    assert.deepEqual(
      first.bias,
      Int32Array.of(...[1, -2].map((b, c) => Math.round(b / (0.5 * first.weightScales[c])))),
    );
    assert.equal(second.bias, undefined, "zeros");
  });
});

describe("lower: ops without weights", () => {
  const cases: readonly (readonly [string, QuantizedGraph, readonly string[], object?])[] = [
    ["relu6", single((s, x) => s.op("relu6", "y", x), { y: [1, -128] }), ["y = relu6(x) [1, 4, 4, 2] 1 -128"]],
    [
      "leakyRelu",
      single((s, x) => s.op("leakyRelu", "y", x, { alpha: 0.2 }), { y: [1, -28] }),
      ["y = leakyRelu(x) [1, 4, 4, 2] 1 -28"],
      { alpha: Math.fround(0.2) },
    ],
    [
      "sigmoid",
      single((s, x) => s.op("sigmoid", "y", x), { y: [1 / 256, -128] }),
      ["y = logistic(x) [1, 4, 4, 2] 0.00390625 -128"],
    ],
    ["tanh", single((s, x) => s.op("tanh", "y", x), { y: [1 / 128, 0] }), ["y = tanh(x) [1, 4, 4, 2] 0.0078125 0"]],
    [
      "softmax",
      single((s, x) => s.op("softmax", "y", x), { y: [1 / 256, -128] }),
      ["y = softmax(x) [1, 4, 4, 2] 0.00390625 -128"],
      { beta: 1 },
    ],
    [
      "softmax on parameters of fewer bits: requantized from the prescribed ones",
      single((s, x) => s.op("softmax", "y", x), { y: [1 / 16, -8, 4] }),
      ["y/unscaled = softmax(x) [1, 4, 4, 2] 0.00390625 -128", "y = quantize(y/unscaled) [1, 4, 4, 2] 0.0625 112"],
    ],
    [
      "add",
      single((s, x) => s.op("add", "y", [x, x], { activation: "relu" }), { y: [1, -128] }),
      ["y = add(x, x) [1, 4, 4, 2] 1 -128"],
      { activation: "relu" },
    ],
    [
      "subtract",
      single((s, x) => s.op("subtract", "y", [x, x]), { y: [1, 0] }),
      ["y = subtract(x, x) [1, 4, 4, 2] 1 0"],
    ],
    [
      "multiply",
      single((s, x) => s.op("multiply", "y", [x, x]), { y: [1, 0] }),
      ["y = multiply(x, x) [1, 4, 4, 2] 1 0"],
    ],
    [
      "maxPool2d",
      single((s, x) => s.op("maxPool2d", "y", x, POOL), {}),
      ["y = maxPool2d(x) [1, 2, 2, 2] 0.5 3"],
      { ...POOL, activation: "linear" },
    ],
    [
      "averagePool2d with parameters of its own: requantized behind",
      single((s, x) => s.op("averagePool2d", "y", x, POOL), { y: [0.25, 1] }),
      ["y/unscaled = averagePool2d(x) [1, 2, 2, 2] 0.5 3", "y = quantize(y/unscaled) [1, 2, 2, 2] 0.25 1"],
    ],
    [
      "mean",
      single((s, x) => s.op("mean", "y", x, { keepDims: false }), { y: [0.25, 1] }),
      ["y = mean(x) [1, 2] 0.25 1"],
      { axes: [1, 2], keepDims: false },
    ],
    [
      "globalMaxPool2d: a window as large as the map",
      single((s, x) => s.op("globalMaxPool2d", "y", x, { keepDims: true }), {}),
      ["y = maxPool2d(x) [1, 1, 1, 2] 0.5 3"],
      { poolSize: [4, 4], strides: [1, 1], padding: "valid" },
    ],
    [
      "globalMaxPool2d without the map's axes",
      single((s, x) => s.op("globalMaxPool2d", "y", x, { keepDims: false }), {}),
      ["y/map = maxPool2d(x) [1, 1, 1, 2] 0.5 3", "y = reshape(y/map) [1, 2] 0.5 3"],
    ],
    [
      "zeroPad2d",
      single(
        (s, x) =>
          s.op("zeroPad2d", "y", x, {
            padding: [
              [1, 2],
              [0, 3],
            ],
          }),
        {},
      ),
      ["y = pad(x) [1, 7, 7, 2] 0.5 3"],
      {
        padding: [
          [0, 0],
          [1, 2],
          [0, 3],
          [0, 0],
        ],
      },
    ],
    [
      "upsample2d, nearest",
      single((s, x) => s.op("upsample2d", "y", x, { size: [2, 3], interpolation: "nearest" }), {}),
      ["y = resizeNearest(x) [1, 8, 12, 2] 0.5 3"],
      { alignCorners: false, halfPixelCenters: false },
    ],
    [
      "upsample2d, bilinear",
      single((s, x) => s.op("upsample2d", "y", x, { size: [2, 2], interpolation: "bilinear" }), {}),
      ["y = resizeBilinear(x) [1, 8, 8, 2] 0.5 3"],
      { alignCorners: false, halfPixelCenters: false },
    ],
    ["flatten", single((s, x) => s.op("flatten", "y", x), {}), ["y = reshape(x) [1, 32] 0.5 3"]],
    [
      "reshape",
      single((s, x) => s.op("reshape", "y", x, { targetShape: [null, 8] }), {}),
      ["y = reshape(x) [1, 4, 8] 0.5 3"],
    ],
    [
      "permute",
      single((s, x) => s.op("permute", "y", x, { permutation: [0, 3, 1, 2] }), {}),
      ["y = transpose(x) [1, 2, 4, 4] 0.5 3"],
      { permutation: [0, 3, 1, 2] },
    ],
    [
      "concat: inputs on other parameters are requantized",
      single((s, x) => s.op("concat", "y", [x, s.op("relu", "r", x)], { axis: 3 }), { r: [1, 0], y: [1, 0] }),
      [
        "r = relu(x) [1, 4, 4, 2] 1 0",
        "x/requantized = quantize(x) [1, 4, 4, 2] 1 0",
        "y = concat(x/requantized, r) [1, 4, 4, 4] 1 0",
      ],
      { axis: 3 },
    ],
    [
      "dropout with a quantizer of its own: requantized",
      single((s, x) => s.op("dropout", "y", x, { className: "Dropout", config: { rate: 0.5 } }), { y: [1, 0] }),
      ["y = quantize(x) [1, 4, 4, 2] 1 0"],
    ],
  ];
  for (const [name, found, expected, fields = {}] of cases) {
    it(name, () => {
      assert.deepEqual(lines(found), expected);
      const node = found.nodes.find(({ op }) => op !== "reshape" && op !== "quantize" && op !== "relu");
      for (const [field, value] of Object.entries(fields)) {
        assert.deepEqual((node as unknown as Record<string, unknown>)[field], value, field);
      }
    });
  }

  it("activations below 8 bits lie at the top of int8, with their lower bound", () => {
    const found = single((s, x) => s.op("flatten", "y", s.op("relu", "r", x)), { r: [1, -8, 4] });
    assert.deepEqual(found.tensors.r, { dtype: "int8", shape: [1, 4, 4, 2], scale: 1, zeroPoint: 112, qmin: 112 });
    assert.deepEqual(found.tensors.y, { dtype: "int8", shape: [1, 32], scale: 1, zeroPoint: 112, qmin: 112 });
  });

  it("scales that do not fit each other name the layer", () => {
    const fails = (build: () => unknown, label: string, what: string, ratio: number): void => {
      assert.throws(build, {
        name: "QuantError",
        code: "unsupported",
        message: `lower: ${label}: expected ${what} < 256, got ${ratio}; its output's range is far smaller than its inputs' allow: calibrate with samples that reach it, or leave the layer out`,
      });
    };
    const tiny = { y: [2 ** -9, 0] } as const;
    const rescale = "input scale / output scale";
    fails(() => single((s, x) => s.op("add", "y", [x, x]), tiny), '"y" (add)', rescale, 256);
    fails(() => single((s, x) => s.op("mean", "y", x), tiny), '"y" (mean)', rescale, 256);
    fails(() => single((s, x) => s.op("maxPool2d", "y", x, POOL), tiny), '"y" (maxPool2d)', rescale, 256);
    fails(() => single((s, x) => s.op("concat", "y", [x, x], { axis: 1 }), tiny), '"y" (concat)', rescale, 256);
    const product = () => single((s, x) => s.op("multiply", "y", [x, x]), { y: [2 ** -10, 0] });
    fails(product, '"y" (multiply)', "product of input scales / output scale", 256);
  });
});

describe("lower: models of DoReFa's", () => {
  const CLIP = { bits: 2, signed: false, bound: 1 } as const;
  const SIGN = { bits: 1, signed: true, sign: true } as const;
  const OBSERVED = { bits: 8, signed: true, symmetric: false, observeOnly: true } as const;
  const dorefa = (weightBits: number) => ({ dorefa: { weightBits, gradientBits: 4, seed: 0, tensor: 0 } });

  /** Lowers a graph of these quantizers; observed values have scale 0.5 and zero point 3, weights are 1, −2, 3 … */
  function loweredDorefa(graph: Graph, quantizers: Graph["quantizers"], options: LowerOptions = {}): QuantizedGraph {
    const observed = Object.keys(quantizers).filter((value) => "observeOnly" in quantizers[value]);
    const params = observed.map((value) => [value, { scale: 0.5, zeroPoint: 3, qmin: -128, qmax: 127 }] as const);
    const weights = Object.entries(graph.weights).map(([name, { shape }]) => {
      const value = (i: number): number => (i % 2 === 0 || name.endsWith("variance") ? i + 1 : -i - 1);
      return [name, Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i))] as const;
    });
    const data = { weights: new Map(weights), params: new Map(params) };
    return lower({ ...graph, quantizers }, data, { io: "int8", ...options });
  }

  it("clips lie at the top of int8, the lower one a relu; weights of 1 bit are ±1 in 4 bits; float layers get 8", () => {
    const s = sketch();
    const hidden = s.dense("hidden", s.dense("first", s.input("x", [null, 3]), 4), 5, dorefa(1));
    const found = loweredDorefa(s.finish(s.dense("last", hidden, 2)), {
      x: OBSERVED,
      first: CLIP,
      hidden: CLIP,
      last: OBSERVED,
    });
    const third = Math.fround(1 / 3);
    assert.deepEqual(lines(found), [
      `first = fullyConnected(x) [1, 4] ${third} 124`,
      `hidden = fullyConnected(first) [1, 5] ${third} 124`,
      "last = fullyConnected(hidden) [1, 2] 0.5 3",
    ]);
    const layers = found.nodes.filter((node) => "weights" in node);
    assert.deepEqual(
      layers.map(({ weightBits, activation }) => [weightBits, activation]),
      [
        [8, "relu"],
        [4, "relu"],
        [8, "linear"],
      ],
    );
    assert.deepEqual(new Set(layers[1].weights), new Set([1, -1]));
    // E = mean of 1 … 20.
    assert.deepEqual(layers[1].weightScales, new Float32Array(5).fill(10.5));
    const { hidden: tensor } = found.tensors;
    assert.ok(tensor.dtype === "int8" && tensor.qmin === 124);
  });

  it("a clip of 8 bits has all of int8; one behind a sum is the sum's own grid", () => {
    const s = sketch();
    const image = s.input("x", [null, 4, 4, 2]);
    const sum = s.op("add", "sum", [s.conv2d("conv", image, dorefa(2)), image]);
    const found = loweredDorefa(s.finish(sum), { x: OBSERVED, conv: { ...CLIP, bits: 8, bound: 255 }, sum: CLIP });
    assert.deepEqual(lines(found), [
      "conv = conv2d(x) [1, 4, 4, 2] 1 -128",
      `sum = add(conv, x) [1, 4, 4, 2] ${Math.fround(1 / 3)} 124`,
    ]);
    assert.deepEqual(found.tensors.conv, { dtype: "int8", shape: [1, 4, 4, 2], scale: 1, zeroPoint: -128 });
  });

  it("signs are 125 and 127; those of a value that goes on as it is come from a convolution of one weight per channel", () => {
    const s = sketch();
    const sum = s.op("add", "sum", [s.input("x", [null, 4, 4, 2]), s.input("z", [null, 4, 4, 2])]);
    const inner = s.conv2d("conv", s.op("identity", "sum/clipped", sum), dorefa(1));
    const found = loweredDorefa(s.finish(s.op("add", "y", [inner, sum])), {
      x: OBSERVED,
      z: OBSERVED,
      sum: OBSERVED,
      "sum/clipped": SIGN,
      conv: OBSERVED,
      y: OBSERVED,
    });
    assert.deepEqual(lines(found), [
      "sum = add(x, z) [1, 4, 4, 2] 0.5 3",
      "sum/clipped = depthwiseConv2d(sum) [1, 4, 4, 2] 1 126",
      "conv = conv2d(sum/clipped) [1, 4, 4, 2] 0.5 3",
      "y = add(conv, sum) [1, 4, 4, 2] 0.5 3",
    ]);
    const codes = Int8Array.from({ length: 32 }, (_, i) => i - 13);
    const { sum: sums, "sum/clipped": signs } = runReference(
      { ...found, outputs: ["sum", "sum/clipped"] },
      { x: codes, z: new Int8Array(32).fill(3) },
      { rounding: "integer" },
    );
    assert.deepEqual(sums, codes);
    assert.deepEqual(
      signs,
      codes.map((code) => (code >= 3 ? 127 : 125)),
    );
  });

  it("a clip for one reader of a value is a requantize", () => {
    const s = sketch();
    const found = loweredDorefa(s.finish(s.op("identity", "x/clipped", s.input("x", [null, 3]))), {
      x: OBSERVED,
      "x/clipped": CLIP,
    });
    assert.deepEqual(lines(found), [`x/clipped = quantize(x) [1, 3] ${Math.fround(1 / 3)} 124`]);
  });

  it("batch norm of its own: factors and biases, differences told where training clips what it gives", () => {
    const told: unknown[] = [];
    const s = sketch();
    const bn = s.batchNorm("bn", s.op("maxPool2d", "pool", s.input("x", [null, 4, 4, 2]), POOL));
    const found = loweredDorefa(
      s.finish(s.conv2d("conv", bn, dorefa(4))),
      { x: OBSERVED, bn: { ...CLIP, bits: 8 }, conv: OBSERVED },
      { onDifference: (difference) => told.push(difference) },
    );
    assert.deepEqual(lines(found), [
      "pool = maxPool2d(x) [1, 2, 2, 2] 0.5 3",
      `bn = depthwiseConv2d(pool) [1, 2, 2, 2] ${Math.fround(1 / 255)} -128`,
      "conv = conv2d(bn) [1, 2, 2, 2] 0.5 3",
    ]);
    // A tie: in float it rounds to even, in integers up.
    assert.deepEqual(told, [{ layer: "bn", channel: 0, different: 1, accumulators: 256, largest: 1 }]);
  });

  it("no differences are told of what training only observed, nor of layers that it left in float", () => {
    const told = (quantizers: Graph["quantizers"], weights: Readonly<Record<string, unknown>>): number => {
      const own = sketch();
      const first = own.conv2d("first", own.input("x", [null, 4, 4, 2]), weights);
      let count = 0;
      loweredDorefa(own.finish(first), quantizers, { onDifference: () => count++ });
      return count;
    };
    const clip = { ...CLIP, bits: 8, bound: 300 };
    assert.ok(told({ x: OBSERVED, first: clip }, dorefa(7)) > 0);
    assert.equal(told({ x: OBSERVED, first: OBSERVED }, dorefa(7)), 0);
    assert.equal(told({ x: OBSERVED, first: clip }, {}), 0);
  });

  it("firstLast float names the layers that training left in float", () => {
    const s = sketch();
    const hidden = s.dense("hidden", s.dense("first", s.input("x", [null, 3]), 4), 5, dorefa(1));
    const graph = s.finish(s.dense("last", hidden, 2));
    const quantizers = { x: OBSERVED, first: CLIP, hidden: CLIP, last: OBSERVED };
    assert.throws(() => loweredDorefa(graph, quantizers, { firstLast: "float" }), {
      code: "unsupported",
      details: { obstacles: ['"first" (Dense) with float weights', '"last" (Dense) with float weights'] },
    });
  });

  it("errors name the layer", () => {
    const s = sketch();
    const graph = s.finish(s.dense("hidden", s.input("x", [null, 3]), 4, { ...dorefa(2), bias: undefined }));
    const weights = new Map([["hidden/kernel", new Float32Array(12).fill(Number.NaN)]]);
    const quantizers = { x: CLIP, hidden: CLIP };
    assert.throws(() => lower({ ...graph, quantizers }, { weights, params: new Map() }), {
      code: "non-finite",
      message: /^lower: "hidden" \(Dense\): weights: /,
    });
  });
});
