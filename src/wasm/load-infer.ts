import type { InferExports } from "./exports.js";
import { inferBinary } from "./infer-binary.js";
import { backendOf, type InitOptions, initEntries } from "./init.js";
import { type Build, type KernelEntry, type Kernels, kernelsOf } from "./instance.js";
import { instantiatePlain } from "./instantiate-plain.js";

/** The binary of the integer layers. */
export const inferEntry: KernelEntry<InferExports> = {
  name: "infer",
  defaultBinary: inferBinary,
  instantiate: instantiatePlain,
  current: undefined,
};

/**
 * Chooses and loads the implementation of the integer layers. Optional: the first session loads the default synchronously.
 *
 * As init of "bitpress", for the infer binary alone.
 */
export function initInfer(options: InitOptions = {}): Promise<void> {
  return initEntries([inferEntry], options);
}

/** The implementation of the integer layers at work. Loads the default one when none is loaded yet. */
export function inferBackend(): Build {
  return backendOf(inferEntry);
}

/** The loaded integer layers, or undefined when the reference implementation is at work. */
export function loadedLayers(): Kernels<InferExports> | undefined {
  return kernelsOf(inferEntry);
}
