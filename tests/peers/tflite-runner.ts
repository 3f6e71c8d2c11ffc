import { createRequire } from "node:module";
import { operate } from "./file-surgery.js";
import { loadTflite, type Tflite, tensorsOf, type Values } from "./tflite-module.js";

/** Runs one file: arrays in by tensor name, arrays out by tensor name. */
export type Runner = (inputs: Readonly<Record<string, Values>>) => Record<string, Values>;

let loaded: Promise<Tflite> | undefined;

/**
 * A runner of one file: by XNNPACK where it takes the operators, or by the builtin kernels alone.
 *
 * Errors: as Tflite.load.
 */
export async function tfliteRunner(bytes: Uint8Array, kernels: "xnnpack" | "builtin"): Promise<Runner> {
  loaded ??= loadTflite(createRequire(import.meta.url));
  const tflite = await loaded;
  const model = tflite.load(kernels === "builtin" ? operate(bytes, { refuseDelegate: true }) : bytes);
  return (inputs) => {
    for (const input of tensorsOf(model.GetInputs())) {
      input.data().set(input.name === "refuse/dims" ? [1] : inputs[input.name]);
    }
    if (!model.Infer()) throw new Error("tfjs-tflite: expected an inference, got a failure");
    const outputs = tensorsOf(model.GetOutputs()).filter(({ name }) => name !== "refuse/out");
    return Object.fromEntries(outputs.map((output) => [output.name, output.data().slice()]));
  };
}
