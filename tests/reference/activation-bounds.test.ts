import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activationBounds } from "../../src/reference/activation-bounds.js";

describe("activationBounds", () => {
  it("linear: the output's own bounds", () => {
    assert.deepEqual(activationBounds("linear", { scale: 0.1, zeroPoint: 3 }, "integer"), { qmin: -128, qmax: 127 });
    assert.deepEqual(activationBounds("linear", { scale: 0.1, zeroPoint: 3, qmin: 3 }, "integer"), {
      qmin: 3,
      qmax: 127,
    });
  });

  it("relu: from the zero point, or the output's own bound where that is higher", () => {
    assert.deepEqual(activationBounds("relu", { scale: 0.1, zeroPoint: 3 }, "integer"), { qmin: 3, qmax: 127 });
    assert.deepEqual(activationBounds("relu", { scale: 0.1, zeroPoint: 3, qmin: 5 }, "integer"), {
      qmin: 5,
      qmax: 127,
    });
  });

  it("relu6: up to the code of 6", () => {
    assert.deepEqual(activationBounds("relu6", { scale: 0.1, zeroPoint: -20 }, "integer"), { qmin: -20, qmax: 40 });
    assert.deepEqual(activationBounds("relu6", { scale: Math.fround(6 / 255), zeroPoint: -128 }, "integer"), {
      qmin: -128,
      qmax: 127,
    });
    assert.deepEqual(activationBounds("relu6", { scale: 0.01, zeroPoint: -128 }, "integer"), { qmin: -128, qmax: 127 });
  });

  // 6 / 4 = 1.5, 6 / 12 = 0.5
  for (const [rounding, ends] of [
    ["integer", [3, 4, 1, 2]],
    ["tflite", [3, 4, 2, 3]],
    ["float32", [2, 4, 2, 2]],
  ] as const) {
    it(`relu6 ${rounding}: ties`, () => {
      const qmax = (scale: number, zeroPoint: number) => activationBounds("relu6", { scale, zeroPoint }, rounding).qmax;
      assert.deepEqual([qmax(4, 1), qmax(4, 2), qmax(12, 1), qmax(12, 2)], ends);
    });
  }
});
