import { readFileSync } from "node:fs";
import type { DefaultBinary } from "./binary.js";

/** The SIMD build of the infer entry; the build swaps this module as it does binary.ts. */
export function inferBinary(): DefaultBinary {
  return { bytes: new Uint8Array(readFileSync(new URL("../../dist/wasm/infer.simd.wasm", import.meta.url))) };
}
