import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { backend, init } from "../../src/wasm/load.js";
import { dorefaContract } from "./dorefa-contract.js";
import { elementwiseContract } from "./elementwise-contract.js";
import { exportsContract } from "./exports-contract.js";
import { foldBatchNormContract } from "./fold-batch-norm-contract.js";
import { growthContract } from "./growth-contract.js";
import { nearTiesContract } from "./near-ties-contract.js";
import { packBitsContract } from "./pack-bits-contract.js";
import { rangeContract } from "./range-contract.js";

/** The builds that the contract holds for. */
export type ContractBuild = "reference" | "debug" | "simd";

/** The compiled .wasm file of a build. */
function moduleOf(build: "debug" | "simd"): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL(`../../dist/wasm/train.${build}.wasm`, import.meta.url)));
}

/**
 * What every build promises: the public array functions give the bytes that src/reference defines, and write nothing else.
 *
 * The same suite for all builds; it begins with a check that the build asked for is the one that runs.
 */
export function kernelContract(build: ContractBuild): void {
  describe(`kernel contract, ${build}`, () => {
    const load = (): Promise<void> => init(build === "debug" ? { build, module: moduleOf(build) } : { build });
    before(load);
    it(`runs on ${build}`, () => assert.equal(backend(), build));
    elementwiseContract();
    nearTiesContract();
    rangeContract();
    foldBatchNormContract();
    packBitsContract();
    dorefaContract();
    if (build !== "reference") {
      growthContract();
      exportsContract(moduleOf(build));
    }
    it(`still runs on ${build}`, () => assert.equal(backend(), build));
  });
}
