import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activationBounds } from "../../src/reference/activation-bounds.js";

describe("activationBounds", () => {
  it("linear: the output's own bounds", () => {
    assert.deepEqual(activationBounds("linear", { scale: 0.1, zeroPoint: 3 }), { qmin: -128, qmax: 127 });
    assert.deepEqual(activationBounds("linear", { scale: 0.1, zeroPoint: 3, qmin: 3 }), { qmin: 3, qmax: 127 });
  });

  it("relu: from the zero point, or the output's own bound where that is higher", () => {
    assert.deepEqual(activationBounds("relu", { scale: 0.1, zeroPoint: 3 }), { qmin: 3, qmax: 127 });
    assert.deepEqual(activationBounds("relu", { scale: 0.1, zeroPoint: 3, qmin: 5 }), { qmin: 5, qmax: 127 });
  });

  it("relu6: up to the code of 6", () => {
    assert.deepEqual(activationBounds("relu6", { scale: 0.1, zeroPoint: -20 }), { qmin: -20, qmax: 40 });
    assert.deepEqual(activationBounds("relu6", { scale: Math.fround(6 / 255), zeroPoint: -128 }), {
      qmin: -128,
      qmax: 127,
    });
    assert.deepEqual(activationBounds("relu6", { scale: 0.01, zeroPoint: -128 }), { qmin: -128, qmax: 127 });
  });

  it("relu6: ties to even before the zero point is added", () => {
    assert.equal(activationBounds("relu6", { scale: 4, zeroPoint: 1 }).qmax, 3);
    assert.equal(activationBounds("relu6", { scale: 12, zeroPoint: 1 }).qmax, 1);
  });
});
