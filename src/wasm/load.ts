import { defaultBinary } from "./binary.js";
import type { TrainExports } from "./exports.js";
import { backendOf, type InitOptions, initEntries } from "./init.js";
import { type Build, type KernelEntry, type Kernels as KernelsOf, kernelsOf } from "./instance.js";
import { instantiateLoaded } from "./instantiate-loaded.js";
import { inferEntry } from "./load-infer.js";

export type { InitOptions } from "./init.js";
export type { Build } from "./instance.js";
export { CONSTANTS_BYTES } from "./library-memory.js";

/** The float kernels. */
export type Kernels = KernelsOf<TrainExports>;

const trainEntry: KernelEntry<TrainExports> = {
  name: "train",
  defaultBinary,
  instantiate: instantiateLoaded,
  current: undefined,
};

/**
 * Chooses and loads the implementation. Optional: the first call of any function loads the default synchronously.
 *
 * Without options the SIMD build carried by the package is used, or the reference implementation where the host has no
 * WebAssembly SIMD. Resident arrays made before a second init keep their values, but are copied like any other array.
 *
 * Errors: QuantError `unsupported-host` when the host forbids compiling WebAssembly or the file cannot be fetched,
 * `invalid-file` for a file that is not one of the package's builds; RangeError for an unknown build.
 *
 * @example
 * await init({ url: "https://example.com/bitpress/wasm/train.simd.wasm" });
 * backend(); // "simd"
 */
export function init(options: InitOptions = {}): Promise<void> {
  return initEntries([trainEntry, inferEntry], options);
}

/** The implementation at work. Loads the default one when none is loaded yet. */
export function backend(): Build {
  return backendOf(trainEntry);
}

/** The loaded kernels, or undefined when the reference implementation is at work. */
export function loadedKernels(): Kernels | undefined {
  return kernelsOf(trainEntry);
}
