import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import type { Values } from "./tflite-module.js";

/** What is used of the library: its own types name things that only browsers declare. */
export interface LiteRt {
  readonly Tensor: { fromTypedArray(values: Values, shape: readonly number[]): LiteRtTensor };
  loadLiteRt(folder: string): Promise<void>;
  loadAndCompile(bytes: Uint8Array, options: { accelerator: "wasm" }): Promise<LiteRtModel>;
}

interface LiteRtTensor {
  data(): Promise<Values>;
  delete(): void;
}

interface LiteRtModel {
  getInputDetails(): readonly { readonly shape: Iterable<number> }[];
  run(inputs: readonly LiteRtTensor[]): Promise<readonly LiteRtTensor[]>;
}

/**
 * Loads the @litertjs/core that `require` finds. It loads its module as a page or worker would: with importScripts, here by node:vm.
 * tfjs-tflite must be loaded before: it would take the process for a worker afterwards.
 */
export async function loadLiteRt(require: NodeJS.Require): Promise<LiteRt> {
  const host = globalThis as { self?: unknown; importScripts?: unknown; ModuleFactory?: unknown };
  host.self ??= globalThis;
  host.importScripts = (file: string): void => {
    const path = String(file);
    const module = { exports: {} as unknown };
    const source = `(function(module,exports,require,__filename,__dirname){${readFileSync(path, "utf8")}\n})`;
    runInThisContext(source, { filename: path })(
      module,
      module.exports,
      createRequire(path),
      path,
      `${dirname(path)}/`,
    );
    const factory = module.exports as (options: object) => unknown;
    const wasmBinary = readFileSync(path.replace(/\.js$/, ".wasm"));
    host.ModuleFactory = (options: object) =>
      factory({ ...options, wasmBinary, locateFile: (name: string) => join(dirname(path), name) });
  };
  const entry = require.resolve("@litertjs/core");
  const core = (await import(pathToFileURL(entry).href)) as LiteRt;
  await core.loadLiteRt(join(dirname(entry), "../wasm/"));
  delete host.importScripts;
  return core;
}
