import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { TrainExports } from "../../src/wasm/exports.js";
import { type Instance, trainingContract } from "./training-contract.js";

/** Bits of features(): SIMD, assertions. */
const FEATURES = { simd: 1, debug: 1 | 4 };

for (const build of ["simd", "debug"] as const) {
  describe(`training contract, ${build}`, () => {
    const load = (): Instance => {
      const memory = new WebAssembly.Memory({ initial: 64 });
      const bytes = readFileSync(new URL(`../../dist/wasm/train.${build}.wasm`, import.meta.url));
      const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
        .exports as unknown as TrainExports;
      exports.initConstants(16);
      return { exports, memory };
    };
    it(`runs on ${build}`, () => assert.equal(load().exports.features(), FEATURES[build]));
    trainingContract(load);
  });
}
