import { instantiateSync } from "@assemblyscript/loader";
import type { Imports } from "./instance.js";
import { instantiatePlain } from "./instantiate-plain.js";

/** Starts a module by the AssemblyScript loader, which takes 2 kB in gzip: the exports of the instance. */
export function instantiateLoaded(module: object, imports: Imports): object {
  // The loader tells modules by `instanceof`, which those of another realm do not pass. `.instance.exports`: its wrapped exports cost
  // 2–3 ns a call in some engines.
  return module instanceof WebAssembly.Module
    ? instantiateSync(module, imports as unknown as WebAssembly.Imports).instance.exports
    : instantiatePlain(module, imports);
}
