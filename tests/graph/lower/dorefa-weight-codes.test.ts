import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { dorefaWeightCodes } from "../../../src/graph/lower/dorefa-weight-codes.js";
import { dequantize } from "../../../src/wasm/dequantize.js";
import { dorefaWeights } from "../../../src/wasm/dorefa-weights.js";
import { ulpsApart } from "../../contracts/vector-file.js";

const weights = fc
  .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 100 })
  .map((values) => Float32Array.from(values));

describe("dorefaWeightCodes", () => {
  it("2 to 7 bits: (2q − n) · c with the largest c, and scale 1/(n·c)", () => {
    const factors = [2, 3, 4, 5, 6, 7].map((bits) => {
      const { data, params } = dorefaWeightCodes("test", Float32Array.of(1, -1, 0), bits);
      const n = 2 ** bits - 1;
      assert.deepEqual(params, { scale: Math.fround(1 / data[0]), zeroPoint: 0, qmin: -127, qmax: 127 });
      assert.deepEqual([...data], [data[0], -data[0], data[0] / n]);
      return data[0] / n;
    });
    assert.deepEqual(factors, [42, 18, 8, 4, 2, 1]);
  });

  for (const bits of [2, 3, 4, 5, 6, 7]) {
    it(`${bits} bits: code · scale is dorefaWeights, at most 1 float32 step apart; code/(n·c) is the same fraction`, () => {
      fc.assert(
        fc.property(weights, (w) => {
          const { data, params } = dorefaWeightCodes("test", w, bits);
          const expected = dorefaWeights(w, bits);
          const n = 2 ** bits - 1;
          const c = Math.floor(127 / n);
          for (const [i, value] of dequantize(data, params).entries()) {
            assert.ok(ulpsApart(value, expected[i]) <= 1, `${value}, ${expected[i]}`);
            assert.ok(Number.isInteger(data[i] / c) && Math.abs(data[i] / c) % 2 === 1, `code ${data[i]}`);
            assert.equal(data[i] / c, Math.round(expected[i] * n));
          }
        }),
      );
    });
  }

  it("1 bit: ±1 with scale E, the same bits as dorefaWeights", () => {
    fc.assert(
      fc.property(weights, (w) => {
        fc.pre(w.reduce((sum, value) => sum + Math.abs(value), 0) / w.length >= 2 ** -126);
        const { data, params } = dorefaWeightCodes("test", w, 1);
        assert.deepEqual(dequantize(data, params), dorefaWeights(w, 1));
        assert.ok(data.every((code) => Math.abs(code) === 1));
      }),
    );
    assert.deepEqual(dorefaWeightCodes("test", Float32Array.of(1, -2, -0), 1), {
      data: Int8Array.of(1, -1, 1),
      params: { scale: 1, zeroPoint: 0, qmin: -1, qmax: 1 },
    });
  });

  it("8 bits: refitted, at most half a step of 1/127 off", () => {
    const w = Float32Array.from({ length: 1001 }, (_, i) => i / 500 - 1);
    const { data, params } = dorefaWeightCodes("test", w, 8);
    const expected = dorefaWeights(w, 8);
    const off = dequantize(data, params).map((value, i) => Math.abs(value - expected[i]));
    const largest = Math.max(...off);
    assert.ok(largest <= 1 / 254 + 1e-7 && largest > 1 / 300, `${largest}`);
    assert.deepEqual([data[0], data[1000]], [-127, 127]);
  });

  it("only zeros: 1 bit has codes of 0 with scale 1; more have the upper of the middle codes", () => {
    const one = dorefaWeightCodes("test", new Float32Array(3), 1);
    assert.deepEqual([one.data, one.params.scale], [new Int8Array(3), 1]);
    assert.deepEqual(dorefaWeightCodes("test", new Float32Array(2), 2).data, Int8Array.of(42, 42));
  });

  it("other bits, and weights that are not finite, are errors", () => {
    for (const bits of [0, 9, 32, 2.5]) {
      assert.throws(() => dorefaWeightCodes("here", Float32Array.of(1), bits), {
        name: "RangeError",
        message: `here: expected bits of weights in 1…8 for int8 codes, got ${bits}`,
      });
    }
    assert.throws(() => dorefaWeightCodes("here", Float32Array.of(1, Number.NaN), 2), {
      code: "non-finite",
      message: "dorefaWeights: expected finite values, got NaN at index 1",
    });
  });
});
