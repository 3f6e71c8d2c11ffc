import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dorefaActivationParams } from "../../../src/graph/lower/dorefa-activation-params.js";
import { dequantize } from "../../../src/wasm/dequantize.js";
import { dorefaActivations } from "../../../src/wasm/dorefa-activations.js";
import { quantize } from "../../../src/wasm/quantize.js";
import { signActivations } from "../../../src/wasm/sign-activations.js";
import { noise } from "../../contracts/geometries.js";

describe("dorefaActivationParams", () => {
  it("the grid lies at the top of int8: zero point 127 − n; −128 for 8 bits", () => {
    const unit = { bound: 1, sign: false };
    const zeroPoints = [1, 2, 3, 4, 5, 6, 7, 8].map((bits) => dorefaActivationParams("test", bits, unit).zeroPoint);
    assert.deepEqual(zeroPoints, [126, 124, 120, 112, 96, 64, 0, -128]);
    const scale = Math.fround(1 / 15);
    assert.deepEqual(dorefaActivationParams("test", 4, unit), { scale, zeroPoint: 112, qmin: 112, qmax: 127 });
  });

  it("the codes stand for what dorefaActivations gives, bit for bit, with any upper end", () => {
    const x = noise(5000, 1);
    for (let bits = 1; bits <= 8; bits++) {
      for (const bound of [1, 6, Math.fround(0.3)]) {
        const params = dorefaActivationParams("test", bits, { bound, sign: false });
        const codes = quantize(x, params);
        assert.ok(codes.every((code) => code >= -128 && code <= 127));
        assert.deepEqual(dequantize(codes, params), dorefaActivations(x, bits, { bound }), `${bits} bits to ${bound}`);
      }
    }
  });

  it("signs are their own codes; more bits have none", () => {
    const params = dorefaActivationParams("test", 1, { bound: 1, sign: true });
    const signs = signActivations(noise(100, 2));
    assert.deepEqual(dequantize(Int8Array.from(signs), params), signs);
    const [one, two] = [true, false].map((sign) => dorefaActivationParams("test", 2, { bound: 1, sign }));
    assert.deepEqual(one, two);
  });

  it("other bits are an error", () => {
    for (const bits of [0, 9, 16, 32]) {
      assert.throws(() => dorefaActivationParams("here", bits, { bound: 1, sign: false }), {
        name: "RangeError",
        message: `here: expected bits of activations in 1…8 for int8 codes, got ${bits}`,
      });
    }
  });
});
