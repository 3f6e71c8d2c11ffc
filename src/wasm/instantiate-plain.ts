import type { Imports } from "./instance.js";

/** Starts a module by itself: the exports of the instance. */
export function instantiatePlain(module: object, imports: Imports): object {
  return new WebAssembly.Instance(module as WebAssembly.Module, imports as unknown as WebAssembly.Imports).exports;
}
