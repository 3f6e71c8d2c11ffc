import { readFileSync } from "node:fs";

/** Where the default binary comes from: its bytes, or a module that the host compiled. */
export type DefaultBinary = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly module: object };

/**
 * The SIMD build of the train entry.
 *
 * This is the one module that the build swaps: bundles carry the bytes inline, or import the .wasm file as a module where
 * the host forbids compiling bytes (scripts/build.ts). In the source tree the built file is read.
 */
export function defaultBinary(): DefaultBinary {
  return { bytes: new Uint8Array(readFileSync(new URL("../../dist/wasm/train.simd.wasm", import.meta.url))) };
}
