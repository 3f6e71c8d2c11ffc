import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { operate } from "./file-surgery.js";

/** Runs one file: arrays in by tensor name, arrays out by tensor name. */
export type Runner = (inputs: Readonly<Record<string, Values>>) => Record<string, Values>;
export type Values = Int8Array | Int32Array | Float32Array;

interface WasmTensor {
  readonly name: string;
  data(): Values;
}

interface WasmModel {
  GetInputs(): { size(): number; get(i: number): WasmTensor };
  GetOutputs(): { size(): number; get(i: number): WasmTensor };
  Infer(): boolean;
}

interface WasmModule {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(
      address: number,
      bytes: number,
      options: object,
    ): { ok(): boolean; errorMessage(): string; value(): WasmModel };
  };
}

const require = createRequire(import.meta.url);
let loaded: Promise<WasmModule> | undefined;
/** What TensorFlow Lite has said since the last file was loaded. */
const messages: string[] = [];

/** @tensorflow/tfjs-tflite's own module (TensorFlow Lite's interpreter with XNNPACK), which runs in plain Node.js. */
function tfliteModule(): Promise<WasmModule> {
  const folder = join(dirname(require.resolve("@tensorflow/tfjs-tflite/package.json")), "wasm");
  const name = "tflite_web_api_cc_simd";
  loaded ??= require(join(folder, `${name}.js`))({
    wasmBinary: readFileSync(join(folder, `${name}.wasm`)),
    locateFile: (file: string) => join(folder, file),
    printErr: (text: string) => messages.push(text),
  }) as Promise<WasmModule>;
  return loaded;
}

/**
 * A runner of one file: by XNNPACK where it takes the operators, or by the builtin kernels alone.
 *
 * Errors: Error with TensorFlow Lite's messages, where it does not load the file, or XNNPACK fails and would leave all to the
 * builtin kernels.
 */
export async function tfliteRunner(bytes: Uint8Array, kernels: "xnnpack" | "builtin"): Promise<Runner> {
  const module = await tfliteModule();
  const file = kernels === "builtin" ? operate(bytes, { refuseDelegate: true }) : bytes;
  messages.length = 0;
  const address = module._malloc(file.length);
  module.HEAPU8.set(file, address);
  const made = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, file.length, {
    numThreads: 1,
    enableProfiling: false,
    maxProfilingBufferEntries: 1024,
  });
  const isRestored = messages.some((text) => text.includes("Restored original execution plan"));
  if (!made.ok() || isRestored) throw new Error(`tfjs-tflite: ${messages.join("; ")}`);
  const model = made.value();
  const tensors = (list: { size(): number; get(i: number): WasmTensor }): WasmTensor[] =>
    Array.from({ length: list.size() }, (_, i) => list.get(i));
  return (inputs) => {
    for (const input of tensors(model.GetInputs())) {
      input.data().set(input.name === "refuse/dims" ? [1] : inputs[input.name]);
    }
    if (!model.Infer()) throw new Error("tfjs-tflite: expected an inference, got a failure");
    const outputs = tensors(model.GetOutputs()).filter(({ name }) => name !== "refuse/out");
    return Object.fromEntries(outputs.map((output) => [output.name, output.data().slice()]));
  };
}
