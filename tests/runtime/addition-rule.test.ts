import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RoundingRule } from "../../src/core/rounding-rule.js";
import type { Int8Tensor, IntegerArithmeticNode } from "../../src/graph/quantized-graph.js";
import { additionRule } from "../../src/runtime/addition-rule.js";

const int8 = (scale: number, zeroPoint: number): Int8Tensor => ({ dtype: "int8", shape: [1], scale, zeroPoint });

function rule(op: "add" | "subtract", [sa, sb, sy]: [number, number, number], rounding: RoundingRule) {
  const node: IntegerArithmeticNode = { name: "s", op, inputs: ["a", "b"], output: "y", activation: "linear" };
  return additionRule(node, int8(sa, 1), int8(sb, 2), int8(sy, 3), rounding);
}

const COMMON = { zeroPoint: 3, qmin: -128, qmax: 127, aZeroPoint: 1, bZeroPoint: 2 };

describe("additionRule", () => {
  it("integer: ratios in steps of 2^-20, ties to even; a difference has a negative multiplier", () => {
    const common = { ...COMMON, rounding: "once", shift: 20, aMultiplier: 2 ** 19 };
    assert.deepEqual(rule("add", [0.5, 2, 1], "integer"), { ...common, bMultiplier: 2 ** 21 });
    assert.deepEqual(rule("subtract", [0.5, 2, 1], "integer"), { ...common, bMultiplier: -(2 ** 21) });
    assert.deepEqual(rule("add", [0.5, 1.5 * 2 ** -20, 1], "integer"), { ...common, bMultiplier: 2 });
    assert.deepEqual(rule("add", [0.5, 0.5 * 2 ** -20, 1], "integer"), { ...common, bMultiplier: 0 });
  });

  it("float32: 21 bits for the larger ratio", () => {
    assert.deepEqual(rule("add", [0.5, 0.25, 1], "float32"), {
      ...COMMON,
      rounding: "once",
      shift: 21,
      aMultiplier: 2 ** 20,
      bMultiplier: 2 ** 19,
    });
    const largest = 2 ** 8 - 2 ** -16; // the largest float32 below 2^8
    const { shift, aMultiplier } = rule("add", [largest, 1, 1], "float32") as { shift: number; aMultiplier: number };
    assert.deepEqual([shift, aMultiplier], [13, 2 ** 21]);
    assert.equal((rule("add", [2 ** -10, 2 ** -10, 1], "float32") as { shift: number }).shift, 30);
  });

  it("float32: the builtin kernels' rule where XNNPACK does not take a ratio", () => {
    for (const scales of [
      [256, 1, 1],
      [1, 2 ** -11, 1],
    ] as const) {
      assert.deepEqual(rule("add", [...scales], "float32"), rule("add", [...scales], "tflite"));
    }
  });

  it("tflite: scales over twice the larger one", () => {
    assert.deepEqual(rule("subtract", [0.5, 0.25, 1], "tflite"), {
      ...COMMON,
      rounding: "twice",
      a: { multiplier: 2 ** 30, shift: 0 },
      b: { multiplier: 2 ** 30, shift: 1 },
      sign: -1,
      sum: { multiplier: 2 ** 30, shift: 19 },
    });
  });

  it("refuses scales that do not fit", () => {
    assert.throws(() => rule("add", [1, 256, 1], "integer"), {
      name: "RangeError",
      message: 'add "s": expected input scales below 256 times the output\'s 1, got 1 and 256',
    });
  });
});
