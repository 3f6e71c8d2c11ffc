import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import type { Values } from "./tflite-runner.js";

/** Runs one file: arrays in and out by position. LiteRT.js takes and gives float32 and int32. */
export type LiteRtRunner = (inputs: readonly Values[]) => Promise<Values[]>;

/** What is used of the library: its own types name things that only browsers declare. */
interface LiteRt {
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

const require = createRequire(import.meta.url);
let loaded: Promise<LiteRt> | undefined;

/** The library loads its module as a page or worker would: with importScripts, here by node:vm. */
async function load(): Promise<LiteRt> {
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

export async function liteRtRunner(bytes: Uint8Array): Promise<LiteRtRunner> {
  loaded ??= load();
  const core = await loaded;
  const model = await core.loadAndCompile(bytes, { accelerator: "wasm" });
  const details = model.getInputDetails();
  return async (inputs) => {
    const tensors = inputs.map((values, i) => core.Tensor.fromTypedArray(values, [...details[i].shape]));
    const outputs = await model.run(tensors);
    const values = await Promise.all(outputs.map(async (output) => (await output.data()).slice()));
    for (const tensor of [...tensors, ...outputs]) tensor.delete();
    return values;
  };
}
