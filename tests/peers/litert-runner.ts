import { createRequire } from "node:module";
import { type LiteRt, loadLiteRt } from "./litert-module.js";
import type { Values } from "./tflite-module.js";

/** Runs one file: arrays in and out by position. LiteRT.js takes and gives float32 and int32. */
export type LiteRtRunner = (inputs: readonly Values[]) => Promise<Values[]>;

let loaded: Promise<LiteRt> | undefined;

export async function liteRtRunner(bytes: Uint8Array): Promise<LiteRtRunner> {
  loaded ??= loadLiteRt(createRequire(import.meta.url));
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
