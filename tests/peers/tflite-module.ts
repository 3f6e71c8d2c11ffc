import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type Values = Int8Array | Int32Array | Float32Array;

/** An input or output of a model, where it lies in the module's memory. */
export interface WasmTensor {
  readonly name: string;
  data(): Values;
}

/** A file that is ready to run. */
interface WasmModel {
  GetInputs(): { size(): number; get(i: number): WasmTensor };
  GetOutputs(): { size(): number; get(i: number): WasmTensor };
  Infer(): boolean;
}

/** What is used of the module. */
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

/** TensorFlow Lite's interpreter with XNNPACK, compiled to WebAssembly. */
export interface Tflite {
  /**
   * Loads a file, one thread.
   *
   * Errors: Error with TensorFlow Lite's messages, where it does not load the file, or XNNPACK fails and would leave all to the
   * builtin kernels.
   */
  load(file: Uint8Array): WasmModel;
}

/** Loads the module of the @tensorflow/tfjs-tflite that `require` finds; it runs in plain Node.js. */
export async function loadTflite(require: NodeJS.Require): Promise<Tflite> {
  const folder = join(dirname(require.resolve("@tensorflow/tfjs-tflite/package.json")), "wasm");
  const name = "tflite_web_api_cc_simd";
  /** What TensorFlow Lite has said since the last file was loaded. */
  const messages: string[] = [];
  const module = (await require(join(folder, `${name}.js`))({
    wasmBinary: readFileSync(join(folder, `${name}.wasm`)),
    locateFile: (file: string) => join(folder, file),
    printErr: (text: string) => messages.push(text),
  })) as WasmModule;
  return {
    load(file) {
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
      return made.value();
    },
  };
}

/** The tensors of one of a model's lists. */
export function tensorsOf(list: { size(): number; get(i: number): WasmTensor }): WasmTensor[] {
  return Array.from({ length: list.size() }, (_, i) => list.get(i));
}
