import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import type { Int8Tensor, IntegerMeanNode } from "../../src/graph/quantized-graph.js";
import { meanRule } from "../../src/runtime/mean-rule.js";

const SHAPE = [1, 2, 4, 3];
const int8 = (scale: number, zeroPoint: number): Int8Tensor => ({ dtype: "int8", shape: SHAPE, scale, zeroPoint });

function rule(
  rounding: RoundingRule,
  { axes = [1, 2], keepDims = true, input = int8(0.5, 10), output = int8(1, -5) } = {},
) {
  const node: IntegerMeanNode = { name: "m", op: "mean", inputs: ["x"], output: "y", axes, keepDims };
  return meanRule(node, input, output, rounding);
}

const TO = { zeroPoint: -5, qmin: -128, qmax: 127 };
const one = (shift: number) => ({ multiplier: Int32Array.of(2 ** 30), shift: Int32Array.of(shift) });

describe("meanRule", () => {
  it("integer: sx/(sy·n), once", () => {
    const requantization = { ...TO, ...one(3), rounding: "once" };
    assert.deepEqual(rule("integer"), { kind: "requantized", inputZeroPoint: 10, requantization });
  });

  it("float32: fl(sx/fl(sy·n))", () => {
    const requantization = { ...TO, rounding: "float32", scale: Float32Array.of(1 / 16) };
    assert.deepEqual(rule("float32"), { kind: "requantized", inputZeroPoint: 10, requantization });
  });

  it("tflite over height and width, kept: the zero points in one, rounded away from zero", () => {
    // −5 − 10·0.5 = −10, and with an input zero point of −11: −5 + 5.5, rounded to 6.
    const requantization = { ...TO, ...one(3), rounding: "twice" };
    assert.deepEqual(rule("tflite"), {
      kind: "requantized",
      inputZeroPoint: 0,
      requantization: { ...requantization, zeroPoint: -10 },
    });
    assert.deepEqual(rule("tflite", { input: int8(0.5, -11) }), {
      kind: "requantized",
      inputZeroPoint: 0,
      requantization: { ...requantization, zeroPoint: 1 },
    });
  });

  it("tflite otherwise: in float32, truncated where the parameters are equal", () => {
    const float32 = { ...TO, kind: "float32", scale: 0.5, bias: -5 };
    assert.deepEqual(rule("tflite", { keepDims: false }), float32);
    assert.deepEqual(rule("tflite", { axes: [3] }), float32);
    assert.deepEqual(rule("tflite", { axes: [1], output: int8(0.5, 10) }), { ...TO, zeroPoint: 10, kind: "truncated" });
  });
});
