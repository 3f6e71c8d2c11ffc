import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveParams } from "../../src/core/quant-params.js";
import { dequantize } from "../../src/reference/dequantize.js";

describe("reference dequantize", () => {
  it("takes the zero point away exactly, then rounds one product", () => {
    const q = Int16Array.of(-32768, 0, 32767);
    const params = { scale: Math.fround(0.1), zeroPoint: 32767, qmin: -32768, qmax: 32767 };
    const out = new Float32Array(3);
    dequantize(q, resolveParams("test", params, 3), out);
    assert.deepEqual(out, Float32Array.of(-65535 * params.scale, -32767 * params.scale, 0));
  });

  it("gives +0 at the zero point, and infinity where the product exceeds float32", () => {
    const out = new Float32Array(3);
    dequantize(
      Int8Array.of(5, 127, -128),
      resolveParams("test", { scale: 1e38, zeroPoint: 5, qmin: -128, qmax: 127 }, 3),
      out,
    );
    assert.deepEqual(out, Float32Array.of(0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
    assert.ok(Object.is(out[0], 0));
  });
});
