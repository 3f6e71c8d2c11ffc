import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { runCall } from "../../src/wasm/kernel-call.js";
import { backend, init } from "../../src/wasm/load.js";
import { minMax } from "../../src/wasm/min-max.js";
import { minMaxCall } from "../../src/wasm/min-max-call.js";
import { assertSameBytes } from "../contracts/bytes.js";
import { noise } from "../contracts/geometries.js";

const LENGTHS = [1, 2, 3, 4, 5, 15, 16, 17, 64, 67];

after(() => init());

for (const build of ["simd", "reference"] as const) {
  describe(`minMaxCall, ${build}`, () => {
    it("gives the bytes of minMax, zeros as +0", async () => {
      await init({ build });
      assert.equal(backend(), build);
      for (const length of LENGTHS) {
        for (const x of [
          noise(length, 1),
          noise(length, 2).map((v) => v * 1e30 - 3e30),
          new Float32Array(length).fill(-0),
        ]) {
          const call = minMaxCall(length);
          const [pair] = runCall(call, [x]);
          const { min, max } = minMax(x);
          assert.equal(call.found.finite, true);
          assertSameBytes(pair, Float32Array.of(min[0], max[0]), `${length} values`);
        }
      }
    });

    it("tells of NaN and infinities at any place, each time it runs", async () => {
      await init({ build });
      for (const length of LENGTHS) {
        const call = minMaxCall(length);
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          for (let i = 0; i < length; i++) {
            const x = noise(length, 3);
            runCall(call, [x]);
            assert.equal(call.found.finite, true);
            x[i] = value;
            runCall(call, [x]);
            assert.equal(call.found.finite, false, `${value} at ${i} of ${length}`);
          }
        }
      }
    });
  });
}
