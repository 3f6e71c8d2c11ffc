import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";

/** tfjs on its wasm backend with SIMD, one thread. */
export async function startTensorflow(): Promise<typeof tf> {
  setThreadsCount(1);
  if (!(await tf.setBackend("wasm")) || !(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) {
    throw new Error("tensorflow: expected the wasm backend with SIMD, got a host without it");
  }
  return tf;
}

/** A way to run an operation and drop its results, so that the backend's memory is reused. */
export function dropping(operation: () => tf.Tensor | tf.Tensor[]): () => void {
  return () => {
    tf.dispose(tf.tidy(operation));
  };
}

/** The library's ops run on the tfjs that its sources import: the project's, not the one installed for the bench. */
export async function startProjectTensorflow(): Promise<typeof import("@tensorflow/tfjs")> {
  const require = createRequire(new URL("../src/tfjs.ts", import.meta.url));
  const tf = require("@tensorflow/tfjs") as typeof import("@tensorflow/tfjs");
  (require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm")).setThreadsCount(1);
  if (!(await tf.setBackend("wasm"))) throw new Error("tfjs: expected the wasm backend, got a host without it");
  return tf;
}
