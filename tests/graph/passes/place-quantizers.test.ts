import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { placeQuantizers } from "../../../src/graph/passes/place-quantizers.js";
import type { PlacementDefaults } from "../../../src/graph/passes/placement-settings.js";
import type { EdgeQuantizer, Graph, LayerSource } from "../../../src/graph/types.js";
import { validateGraph } from "../../../src/graph/validate.js";
import { type ConfigList, parseConfigList } from "../../../src/quantizers/config-list.js";
import { selectConfig } from "../../../src/quantizers/select-config.js";
import { type Sketch, sketch } from "../sketch.js";

const MAP = [null, 8, 8, 4];
const W8A8: PlacementDefaults = { weightBits: 8, activationBits: 8, granularity: "perChannel", symmetric: false };
const POOL = { poolSize: [2, 2], strides: [1, 1], padding: "same" };

/** "int8", "int8 fixed 1/256 -128", "like x": quantizers in short. */
function short(quantizer: EdgeQuantizer): string {
  if ("like" in quantizer) return `like ${quantizer.like}`;
  const grid = `${quantizer.signed ? "int" : "uint"}${quantizer.bits}`;
  if ("bound" in quantizer || "sign" in quantizer) return `${grid} of DoReFa`;
  const start = quantizer.quantStartStep === undefined ? "" : ` from ${quantizer.quantStartStep}`;
  if ("fixed" in quantizer) {
    return `${grid} fixed 1/${1 / quantizer.fixed.scale} ${quantizer.fixed.zeroPoint}${start}`;
  }
  return `${grid}${quantizer.symmetric ? " symmetric" : ""}${start}`;
}

function checked(graph: Graph): Graph {
  validateGraph(graph);
  return graph;
}

/** Quantizers that the defaults place, by value. */
function edges(graph: Graph, defaults: Partial<PlacementDefaults> = {}): Record<string, string> {
  const all = { ...W8A8, ...defaults };
  const placed = checked(placeQuantizers(graph, all));
  assert.deepEqual(placeQuantizers(placed, all), placed, "twice");
  return Object.fromEntries(Object.entries(placed.quantizers).map(([value, quantizer]) => [value, short(quantizer)]));
}

/** Bits of the weights that were placed, by node. */
function weightBits(graph: Graph): Record<string, number | undefined> {
  return Object.fromEntries(
    graph.nodes.flatMap((node) => ("weightsShape" in node ? [[node.name, node.weightGrid?.bits]] : [])),
  );
}

function drawn(draw: (g: Sketch, x: string) => string | readonly string[]): Graph {
  const g = sketch();
  return g.finish(...[draw(g, g.input("x", MAP))].flat());
}

describe("placeQuantizers by defaults", () => {
  it("quantizes inputs, and what every integer op computes", () => {
    const graph = drawn((g, x) => {
      const conv = g.conv2d("conv", x, { activation: "relu" });
      const add = g.op("add", "add", [conv, x]);
      const sub = g.op("subtract", "sub", [add, conv]);
      const mul = g.op("multiply", "mul", [sub, x]);
      const leaky = g.op("leakyRelu", "leaky", g.batchNorm("bn", mul), { alpha: 0.1 });
      const relu = g.op("relu6", "relu6", g.op("relu", "relu", leaky));
      return g.dense("fc", g.op("mean", "mean", relu, { keepDims: false }), 3);
    });
    const computed = ["x", "conv", "add", "sub", "mul", "bn", "leaky", "relu", "relu6", "mean", "fc"];
    assert.deepEqual(edges(graph), Object.fromEntries(computed.map((name) => [name, "int8"])));
  });

  it("gives softmax, sigmoid and tanh the parameters that file formats prescribe", () => {
    const graph = drawn((g, x) => [g.op("softmax", "p", x), g.op("sigmoid", "s", x), g.op("tanh", "t", x)]);
    const prescribed = { p: "int8 fixed 1/256 -128", s: "int8 fixed 1/256 -128", t: "int8 fixed 1/128 0" };
    assert.deepEqual(edges(graph), { x: "int8", ...prescribed });
    assert.equal(edges(graph, { activationBits: 4 }).p, "int8 fixed 1/256 -128", "an output");
    const within = drawn((g, x) => g.dense("fc", g.op("tanh", "t", x), 3));
    assert.equal(edges(within, { activationBits: 4 }).t, "int8 fixed 1/128 0", "their 8 bits, however few others have");
    assert.equal(edges(within, { activationBits: 10 }).t, "int10 fixed 1/512 0");
  });

  it("lets pools, pad, upsampling, reshape, flatten, permute, dropout and identity keep their input's", () => {
    const graph = drawn((g, x) => {
      let y = g.op("maxPool2d", "max", x, POOL);
      y = g.op("averagePool2d", "average", y, POOL);
      y = g.op("zeroPad2d", "pad", y, {
        padding: [
          [1, 1],
          [1, 1],
        ],
      });
      y = g.op("upsample2d", "up", y, { size: [2, 2], interpolation: "bilinear" });
      y = g.op("permute", "permute", y, { permutation: [0, 2, 1, 3] });
      y = g.op("dropout", "dropout", g.op("identity", "identity", y), { className: "Dropout", config: { rate: 0.5 } });
      y = g.op("globalMaxPool2d", "gmp", y, { keepDims: true });
      y = g.op("flatten", "flat", g.op("reshape", "reshape", y, { targetShape: [2, 2] }));
      return g.dense("fc", y, 3);
    });
    const kept = ["max", "average", "pad", "up", "permute", "identity", "dropout", "gmp", "reshape", "flat"];
    const expected = { x: "int8", ...Object.fromEntries(kept.map((name) => [name, "like x"])), fc: "int8" };
    assert.deepEqual(edges(graph), expected);
  });

  it("quantizes what opaque nodes give to integer ops, and nothing that only opaque nodes read", () => {
    const g = sketch();
    const x = g.input("x", MAP);
    const ids = g.input("ids", [null, 4], "int32");
    const words = g.opaque("words", ids, [null, 4], "Embedding");
    const strange = g.opaque(
      "strange",
      g.op("zeroPad2d", "pad", x, {
        padding: [
          [0, 1],
          [0, 1],
        ],
      }),
      MAP,
    );
    const flat = g.op("flatten", "flat", g.opaque("next", strange, MAP));
    const graph = g.finish(g.dense("fc", flat, 3), words);
    assert.deepEqual(edges(graph), { next: "int8", flat: "like next", fc: "int8" });
  });

  it("keeps inputs and results at 8 bits or more, and applies symmetric to activations", () => {
    const graph = drawn((g, x) => g.op("maxPool2d", "pool", g.conv2d("logits", g.conv2d("conv", x)), POOL));
    const pool = "like logits";
    assert.deepEqual(edges(graph, { activationBits: 4 }), { x: "int8", conv: "int4", logits: "int8", pool });
    const int16 = "int16 symmetric";
    const wide = edges(graph, { activationBits: 16, symmetric: true });
    assert.deepEqual(wide, { x: int16, conv: int16, logits: int16, pool });
    assert.equal(edges(graph, { activationBits: 4, firstLastBits: 4 }).logits, "int4");
    assert.deepEqual(edges(graph, { activationBits: 32 }), {});
  });

  it("gives weights their grid", () => {
    const graph = drawn((g, x) => g.dense("fc", g.op("flatten", "flat", g.conv2d("conv", x)), 3));
    const placed = placeQuantizers(graph, { ...W8A8, weightBits: 4, denseGranularity: "perTensor" });
    const grid = { bits: 4, symmetric: true, signed: true };
    assert.deepEqual(
      placed.nodes.map((node) => "weightGrid" in node && node.weightGrid),
      [{ ...grid, granularity: "perChannel", axis: 3 }, false, { ...grid, granularity: "perTensor", axis: 1 }],
    );
    const untouched = placeQuantizers(placed, { ...W8A8, weightBits: 32 });
    assert.deepEqual(weightBits(untouched), { conv: undefined, fc: undefined });
  });

  it("firstLastBits: first and last weights on every path, inputs, and what the last ones give", () => {
    const graph = drawn((g, x) => {
      const b = g.conv2d("b", g.op("relu", "relu", g.conv2d("a", x)));
      const mean = g.op("mean", "mean", g.conv2d("c", b), { keepDims: false });
      return [g.op("softmax", "softmax", g.dense("fc", mean, 3)), g.conv2d("side", x)];
    });
    const defaults = { ...W8A8, weightBits: 2, activationBits: 3, firstLastBits: 8 };
    assert.deepEqual(weightBits(placeQuantizers(graph, defaults)), { a: 8, b: 2, c: 2, fc: 8, side: 8 });
    const middle = { a: "int3", relu: "int3", b: "int3", c: "int3", mean: "int3" };
    const ends = { x: "int8", fc: "int8", softmax: "int8 fixed 1/256 -128", side: "int8" };
    assert.deepEqual(edges(graph, defaults), { ...middle, ...ends });
    const float = { ...defaults, firstLastBits: 32 };
    assert.deepEqual(weightBits(placeQuantizers(graph, float)), {
      a: undefined,
      b: 2,
      c: 2,
      fc: undefined,
      side: undefined,
    });
    assert.deepEqual(edges(graph, float), middle);
  });

  it("firstLastBits: a shared layer is first or last as soon as one use is", () => {
    const graph = drawn((g, x) => {
      const first = g.conv2d("one", x, { layer: "conv" });
      return g.conv2d("last", g.conv2d("two", first, { layer: "conv" }));
    });
    const placed = checked(placeQuantizers(graph, { ...W8A8, weightBits: 2, firstLastBits: 8 }));
    assert.deepEqual(weightBits(placed), { one: 8, two: 8, last: 8 });
  });
});

describe("placeQuantizers, concat", () => {
  it("producers that only the concat reads take its parameters, through ops that keep them", () => {
    const graph = drawn((g, x) => {
      const pad = g.op("zeroPad2d", "b_pad", g.conv2d("b", x), {
        padding: [
          [0, 1],
          [0, 1],
        ],
      });
      const b = g.op("maxPool2d", "b_pool", pad, { ...POOL, padding: "valid" });
      return g.op("concat", "concat", [g.conv2d("a", x), b], { axis: 3 });
    });
    const like = "like concat";
    assert.deepEqual(edges(graph), { x: "int8", a: like, b: like, b_pad: like, b_pool: like, concat: "int8" });
  });

  it("a producer behind an average keeps its own: the average is rounded on its parameters before the concat", () => {
    const graph = drawn((g, x) => {
      const pooled = g.op("averagePool2d", "pool", g.conv2d("b", x), { ...POOL, strides: [1, 1], padding: "same" });
      return g.op("concat", "concat", [g.conv2d("a", x), pooled], { axis: 3 });
    });
    assert.deepEqual(edges(graph), { x: "int8", a: "like concat", b: "int8", pool: "like b", concat: "int8" });
  });

  it("a concat that only a concat reads takes that one's, with its producers", () => {
    const graph = drawn((g, x) => {
      const inner = g.op("concat", "inner", [g.conv2d("a", x), g.conv2d("b", x)], { axis: 3 });
      return g.op("concat", "outer", [g.op("maxPool2d", "pool", inner, POOL), g.conv2d("c", x)], { axis: 3 });
    });
    const { x: _, ...shared } = edges(graph);
    const like = "like outer";
    assert.deepEqual(shared, { a: like, b: like, inner: like, pool: like, c: like, outer: "int8" });
  });

  it("keeps what has other readers, leaves or enters the graph, or is fixed", () => {
    const graph = drawn((g, x) => {
      const read = g.conv2d("read", x);
      const out = g.conv2d("out", x);
      const pool = g.op("maxPool2d", "pool", g.conv2d("deep", x), POOL);
      const pooled = g.op("maxPool2d", "pooled", pool, POOL);
      const twice = g.conv2d("twice", x);
      const inputs = [read, out, x, g.op("tanh", "tanh", x), pooled, g.op("relu", "relu", pool), twice, twice];
      return [g.op("concat", "concat", inputs, { axis: 3 }), g.op("relu", "reader", read), out];
    });
    assert.deepEqual(edges(graph), {
      x: "int8",
      read: "int8",
      out: "int8",
      deep: "int8",
      pool: "like deep",
      pooled: "like deep",
      tanh: "int8 fixed 1/128 0",
      relu: "like concat",
      twice: "like concat",
      concat: "int8",
      reader: "int8",
    });
  });

  it("keeps producers on another grid", () => {
    const graph = drawn((g, x) => g.op("concat", "concat", [g.conv2d("a", x), g.conv2d("b", x)], { axis: 3 }));
    const placed = placeQuantizers(graph, W8A8, ({ name }) =>
      name === "a" ? { index: 1, targets: { output: { bits: 4 } } } : { index: 0, targets: { output: { bits: 8 } } },
    );
    assert.deepEqual(
      Object.entries(checked(placed).quantizers).map(([value, quantizer]) => `${value} ${short(quantizer)}`),
      ["a int4", "b like concat", "concat int8"],
    );
  });
});

describe("placeQuantizers by a config list", () => {
  /** Quantizers and weight grids that a config list places. */
  function configured(graph: Graph, list: ConfigList): Record<string, string> {
    const entries = parseConfigList("test", "QATQuantizer", list);
    const settingsOf = ({ name, className }: LayerSource) => selectConfig(entries, { name, type: className });
    const placed = checked(placeQuantizers(graph, W8A8, settingsOf));
    assert.deepEqual(placeQuantizers(placed, W8A8, settingsOf), placed, "twice");
    const weights = placed.nodes.flatMap((node) => {
      const grid = "weightGrid" in node ? node.weightGrid : undefined;
      if (grid === undefined) return [];
      const { bits, granularity, axis, symmetric, signed, quantStartStep } = grid;
      const start = quantStartStep === undefined ? "" : ` from ${quantStartStep}`;
      const scheme = symmetric ? "symmetric" : "affine";
      return [[`${node.name} weights`, `${signed ? "int" : "uint"}${bits} ${granularity} ${axis} ${scheme}${start}`]];
    });
    const quantizers = Object.entries(placed.quantizers).map(([value, quantizer]) => [value, short(quantizer)]);
    return Object.fromEntries([...weights, ...quantizers]);
  }

  const output = (name: string, bits: number) =>
    ({ op_names: [name], quant_types: ["output"], quant_bits: bits }) as const;
  const input = (name: string, bits: number) =>
    ({ op_names: [name], quant_types: ["input"], quant_bits: bits }) as const;

  it("places exactly the targets of the layers that are selected", () => {
    const graph = drawn((g, x) => g.op("add", "add", [g.conv2d("b", g.conv2d("a", x)), x]));
    assert.deepEqual(configured(graph, [{ op_names: ["a"], quant_types: ["weight"], quant_bits: 4 }]), {
      "a weights": "int4 perChannel 3 symmetric",
    });
    assert.deepEqual(configured(graph, [input("b", 6)]), { a: "int6" });
    const all = { op_types: ["default"], quant_types: ["output"], quant_bits: 6 } as const;
    assert.deepEqual(configured(graph, [all]), { a: "int6", b: "int6" });
    assert.deepEqual(configured(graph, [all, { op_names: ["a"], exclude: true }]), { b: "int6" });
    assert.deepEqual(configured(graph, []), {});
  });

  it("carries scheme, sign, granularity, axis and start step", () => {
    const graph = drawn((g, x) => g.op("sigmoid", "s", g.conv2d("a", x)));
    assert.deepEqual(
      configured(graph, [
        {
          op_names: ["a", "s"],
          quant_types: ["weight", "input", "output"],
          quant_bits: 8,
          quant_dtype: { weight: "int", input: "uint", output: "uint" },
          quant_scheme: { weight: "per_channel_affine", input: "per_tensor_symmetric", output: "per_tensor_affine" },
          quant_start_step: 10,
          axis: -2,
        },
      ]),
      {
        "a weights": "int8 perChannel 2 affine from 10",
        x: "uint8 symmetric from 10",
        a: "uint8 from 10",
        s: "uint8 fixed 1/256 0 from 10",
      },
    );
  });

  it("one quantizer per edge: the later entry wins, of one entry the output", () => {
    const graph = drawn((g, x) => g.conv2d("b", g.conv2d("a", x)));
    assert.deepEqual(configured(graph, [output("a", 4), input("b", 6)]), { a: "int6" });
    assert.deepEqual(configured(graph, [input("b", 6), output("a", 4)]), { a: "int4" });
    const bits = { input: 3, output: 5 };
    const both = { op_types: ["Conv2D"], quant_types: ["input", "output"], quant_bits: bits } as const;
    assert.deepEqual(configured(graph, [both]), { x: "int3", a: "int5", b: "int5" });
  });

  it("means by a layer's output what leaves it with all that was fused, named by either", () => {
    const relu = { id: "relu", name: "relu", className: "ReLU", config: {} };
    const graph = drawn((g, x) => g.conv2d("conv", x, { activation: "relu", fused: [relu] }));
    const list = (name: string): ConfigList => [{ op_names: [name], quant_types: ["output", "input"], quant_bits: 5 }];
    assert.deepEqual(configured(graph, list("conv")), { conv: "int5", x: "int5" });
    // The edge that entered the activation is gone.
    assert.deepEqual(configured(graph, list("relu")), { conv: "int5" });
  });

  it("moves a setting before ops that keep parameters, where nothing else reads on the way", () => {
    const list = [input("b", 5)];
    const pooled = (g: Sketch, x: string) => g.conv2d("b", g.op("maxPool2d", "pool", g.conv2d("a", x), POOL));
    assert.deepEqual(configured(drawn(pooled), list), { a: "int5", pool: "like a" });
    const read = drawn((g, x) => [pooled(g, x), g.op("relu", "r", "a")]);
    assert.deepEqual(configured(read, list), { pool: "int5" });
  });

  it("requantizes behind an op that keeps parameters where the list says so", () => {
    const graph = drawn((g, x) => g.conv2d("b", g.op("maxPool2d", "pool", g.conv2d("a", x), POOL)));
    assert.deepEqual(configured(graph, [output("a", 5), input("b", 4)]), { a: "int5", pool: "int4" });
    assert.deepEqual(configured(graph, [output("a", 5), input("b", 5)]), { a: "int5", pool: "like a" });
  });

  it("RangeError for an axis that the weights do not have", () => {
    const graph = drawn((g, x) => g.conv2d("a", x));
    const list = [{ op_names: ["a"], quant_types: ["weight"], quant_bits: 8, axis: 4 }] as const;
    assert.throws(() => configured(graph, list), {
      name: "RangeError",
      message: 'placeQuantizers: conv2d "a": expected an axis in [-4, 3] for rank 4, got 4',
    });
  });
});
