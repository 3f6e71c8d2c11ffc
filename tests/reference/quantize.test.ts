import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codesFor } from "../../src/core/grid.js";
import { type QuantParams, resolveParams } from "../../src/core/quant-params.js";
import { quantize, unclampedCode } from "../../src/reference/quantize.js";

function codes(x: number[], params: QuantParams, shape?: number[]): number[] {
  const out = codesFor(params, x.length);
  quantize(Float32Array.from(x), resolveParams("test", params, x.length, shape === undefined ? {} : { shape }), out);
  return Array.from(out);
}

const int8 = { qmin: -128, qmax: 127 };

describe("reference quantize", () => {
  it("rounds ties to even before the zero point is added", () => {
    const ties = [-1.5, -0.5, 0.5, 1.5, 2.5];
    assert.deepEqual(codes(ties, { scale: 1, zeroPoint: 0, ...int8 }), [-2, 0, 0, 2, 2]);
    // An odd zero point changes no rounding: rne(0.5) + 3, not rne(3.5).
    assert.deepEqual(codes(ties, { scale: 1, zeroPoint: 3, ...int8 }), [1, 3, 3, 5, 5]);
  });

  it("divides in float32: 0.3/0.1 lies on the float32 side of a tie", () => {
    assert.equal(unclampedCode(Math.fround(0.25), Math.fround(0.1), 0), 2);
    assert.equal(unclampedCode(Math.fround(0.35), Math.fround(0.1), 0), 4);
    // In float64 the quotient is 3.4999999478459359, which is not a tie.
    assert.equal(Math.round(Math.fround(0.35) / Math.fround(0.1)), 3);
  });

  it("saturates infinities and gives NaN the zero point", () => {
    const x = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38];
    assert.deepEqual(codes(x, { scale: 0.1, zeroPoint: -3, ...int8 }), [-3, 127, -128, 127, -128]);
    assert.deepEqual(codes(x, { scale: 0.1, zeroPoint: 7, qmin: 0, qmax: 15 }), [7, 15, 0, 15, 0]);
  });

  it("quotients that overflow saturate, under the smallest normal scale", () => {
    assert.deepEqual(codes([1, -1, 0, 2 ** -126], { scale: 2 ** -126, zeroPoint: 0, ...int8 }), [127, -128, 0, 1]);
  });

  it("uses the parameters of each channel", () => {
    const params = { scale: Float32Array.of(1, 2), zeroPoint: Int32Array.of(0, 10), ...int8 };
    assert.deepEqual(codes([4, 4, 6, 6], { ...params, axis: 0 }, [2, 2]), [4, 4, 13, 13]);
    assert.deepEqual(codes([4, 4, 6, 6], { ...params, axis: 1 }, [2, 2]), [4, 12, 6, 13]);
  });
});
