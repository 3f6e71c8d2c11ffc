import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { codesFor } from "../../src/core/grid.js";
import { resolveParams } from "../../src/core/quant-params.js";
import { dequantize } from "../../src/reference/dequantize.js";
import { fakeQuantize } from "../../src/reference/fake-quantize.js";
import { quantize } from "../../src/reference/quantize.js";

describe("reference fakeQuantize", () => {
  it("is dequantize(quantize(x)) bit for bit, and a second time changes nothing", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ maxLength: 50 }),
        fc.float({ min: Math.fround(1e-20), max: Math.fround(1e20), noNaN: true }),
        fc.integer({ min: -8, max: 7 }),
        (x, scale, zeroPoint) => {
          const params = resolveParams("test", { scale, zeroPoint, qmin: -8, qmax: 7 }, x.length);
          const codes = codesFor(params, x.length);
          const [composed, fused, twice] = [0, 1, 2].map(() => new Float32Array(x.length));
          quantize(x, params, codes);
          dequantize(codes, params, composed);
          fakeQuantize(x, params, fused);
          fakeQuantize(fused, params, twice);
          assert.deepEqual(fused, composed);
          assert.deepEqual(twice, fused);
        },
      ),
    );
  });

  it("gives 0 for NaN and the ends of the range for infinities", () => {
    const x = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fakeQuantize(x, resolveParams("test", { scale: 0.5, zeroPoint: 2, qmin: -8, qmax: 7 }, 3), x);
    assert.deepEqual(x, Float32Array.of(0, 2.5, -5));
  });
});
