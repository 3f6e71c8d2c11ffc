import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Int8Tensor, IntegerArithmeticNode, IntegerWeightedNode } from "../../src/graph/quantized-graph.js";
import { linearRequantization, productRequantization } from "../../src/runtime/requantization.js";

const int8 = (scale: number, zeroPoint = 0): Int8Tensor => ({
  dtype: "int8",
  shape: [1, 2],
  scale: Math.fround(scale),
  zeroPoint,
});

function layer(op: "fullyConnected" | "conv2d" | "depthwiseConv2d", weightScales: number[]): IntegerWeightedNode {
  const shapes = { fullyConnected: [2, 2], conv2d: [2, 1, 1, 2], depthwiseConv2d: [1, 1, 2] };
  return {
    name: "a",
    op,
    inputs: ["x"],
    output: "y",
    weights: new Int8Array(4),
    weightsShape: shapes[op],
    weightBits: 8,
    weightScales: Float32Array.from(weightScales),
    activation: "relu",
  } as unknown as IntegerWeightedNode;
}

const product: IntegerArithmeticNode = {
  name: "p",
  op: "multiply",
  inputs: ["a", "b"],
  output: "y",
  activation: "linear",
};
const BOUNDS = { zeroPoint: -5, qmin: -5, qmax: 127 };

describe("linearRequantization", () => {
  it("integer: sx·sw/sy in float64 for each channel, bounds of the activation", () => {
    assert.deepEqual(linearRequantization(layer("conv2d", [0.5, 0.125]), int8(0.5), int8(1, -5), "integer"), {
      ...BOUNDS,
      rounding: "once",
      multiplier: Int32Array.of(2 ** 30, 2 ** 30),
      shift: Int32Array.of(1, 3),
    });
  });

  it("spreads one weight scale over the channels", () => {
    const { shift } = linearRequantization(layer("depthwiseConv2d", [0.5]), int8(0.5), int8(1, -5), "integer") as {
      shift: Int32Array;
    };
    assert.deepEqual(shift, Int32Array.of(1, 1));
  });

  it("tflite: depthwise rounds twice, the others once", () => {
    const rounding = (op: Parameters<typeof layer>[0]): string =>
      linearRequantization(layer(op, [0.5, 0.5]), int8(0.5), int8(1), "tflite").rounding;
    assert.deepEqual(
      [rounding("conv2d"), rounding("fullyConnected"), rounding("depthwiseConv2d")],
      ["once", "once", "twice"],
    );
  });

  it("tflite: fully connected with one weight scale rounds sx·sw to float32", () => {
    const multiplierOf = (scales: number[], rounding: "tflite" | "integer"): number => {
      const to = linearRequantization(layer("fullyConnected", scales), int8(0.1), int8(0.3), rounding);
      return (to as { multiplier: Int32Array }).multiplier[0];
    };
    const exact = Math.round(((Math.fround(0.1) * Math.fround(0.7)) / Math.fround(0.3)) * 2 ** 33);
    const early = Math.round((Math.fround(Math.fround(0.1) * Math.fround(0.7)) / Math.fround(0.3)) * 2 ** 33);
    assert.notEqual(exact, early);
    assert.equal(multiplierOf([0.7], "tflite"), early);
    assert.equal(multiplierOf([0.7, 0.7], "tflite"), exact);
    assert.equal(multiplierOf([0.7], "integer"), exact);
  });

  it("float32: fl(fl(sx·sw)/sy)", () => {
    assert.deepEqual(linearRequantization(layer("conv2d", [0.7, 0.2]), int8(0.1), int8(0.3, -5), "float32"), {
      ...BOUNDS,
      rounding: "float32",
      scale: Float32Array.of(
        Math.fround(Math.fround(0.1) * Math.fround(0.7)) / Math.fround(0.3),
        Math.fround(Math.fround(0.1) * Math.fround(0.2)) / Math.fround(0.3),
      ),
    });
  });

  it("names the node whose scales do not fit", () => {
    assert.throws(() => linearRequantization(layer("conv2d", [512, 1]), int8(0.5), int8(1), "integer"), {
      name: "RangeError",
      message: 'conv2d "a": expected a multiplier in [0, 256), got 256; the scales do not fit each other',
    });
  });
});

describe("productRequantization", () => {
  it("integer: sa·sb/sy, once; tflite: twice; float32: its scale", () => {
    const rule = (rounding: "integer" | "tflite" | "float32") =>
      productRequantization(product, int8(0.5), int8(0.5), int8(1, -5), rounding);
    const to = { zeroPoint: -5, qmin: -128, qmax: 127 };
    const quarter = { multiplier: Int32Array.of(2 ** 30), shift: Int32Array.of(1) };
    assert.deepEqual(rule("integer"), { ...to, ...quarter, rounding: "once" });
    assert.deepEqual(rule("tflite"), { ...to, ...quarter, rounding: "twice" });
    assert.deepEqual(rule("float32"), { ...to, rounding: "float32", scale: Float32Array.of(0.25) });
  });

  it("float32: the builtin kernels' rule where XNNPACK does not take the multiplier", () => {
    const rule = (rounding: "tflite" | "float32", scale: number) =>
      productRequantization(product, int8(scale), int8(2 ** -8), int8(1), rounding);
    assert.equal(rule("float32", 2 ** -8).rounding, "float32");
    assert.deepEqual(rule("float32", 2 ** -9), rule("tflite", 2 ** -9));
  });
});
