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
