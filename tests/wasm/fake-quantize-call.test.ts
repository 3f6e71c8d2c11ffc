import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { gridOf } from "../../src/core/grid.js";
import { fakeQuantize } from "../../src/wasm/fake-quantize.js";
import { fakeQuantizeCall, fakeQuantizeGradientCall } from "../../src/wasm/fake-quantize-call.js";
import { fakeQuantizeGradient } from "../../src/wasm/fake-quantize-gradient.js";
import { runCall } from "../../src/wasm/kernel-call.js";
import { backend, init } from "../../src/wasm/load.js";
import { awkwardBits, fromBits, SCALES, zeroPointsOf } from "../contracts/awkward-values.js";
import { assertSameBytes } from "../contracts/bytes.js";
import { noise } from "../contracts/geometries.js";

after(() => init());

for (const build of ["simd", "reference"] as const) {
  describe(`fakeQuantizeCall and fakeQuantizeGradientCall, ${build}`, () => {
    it("give the bytes of fakeQuantize and its gradient, at lengths 0…67", async () => {
      await init({ build });
      assert.equal(backend(), build);
      for (const grid of [gridOf("test", { bits: 8 }), gridOf("test", { bits: 3, signed: false })]) {
        for (const zeroPoint of zeroPointsOf(grid)) {
          for (const [i, scale] of SCALES.entries()) {
            const params = { ...grid, scale, zeroPoint };
            const what = `scale ${scale}, zero point ${zeroPoint}`;
            for (const length of [0, 1, 3, 4, 5, 16, 67]) {
              const x = fromBits(awkwardBits(scale, zeroPoint, grid), length, i + 1);
              const dy = noise(length, i);
              const [y] = runCall(fakeQuantizeCall(params, length), [x]);
              const [dx] = runCall(fakeQuantizeGradientCall(params, length), [dy, x]);
              assertSameBytes(y, fakeQuantize(x, params), `${what}, ${length} values`);
              assertSameBytes(dx, fakeQuantizeGradient(dy, x, params), `${what}, ${length} gradients`);
            }
          }
        }
      }
    });

    it("refuse parameters that are not a grid's", async () => {
      await init({ build });
      const params = { scale: 0, zeroPoint: 0, qmin: -128, qmax: 127 };
      for (const [where, call] of [
        ["fakeQuantize", fakeQuantizeCall],
        ["fakeQuantizeGradient", fakeQuantizeGradientCall],
      ] as const) {
        assert.throws(() => call(params, 4), {
          name: "RangeError",
          message: `${where}: expected scale > 0 and finite in float32, got 0`,
        });
        assert.throws(() => call({ ...params, scale: 1, zeroPoint: 128 }, 4), {
          name: "RangeError",
          message: `${where}: expected an integer zeroPoint in [-128, 127], got 128`,
        });
      }
    });
  });
}
