import * as tf from "@tensorflow/tfjs";

/** Backends whose tensors lie in the process's own memory: reading one back costs nothing but a copy. */
const HOST_BACKENDS = ["cpu", "wasm"] as const;

/**
 * Whether the backend in use has the library's registered kernels.
 *
 * Elsewhere (webgl, webgpu …) the same ops are composed of stock ops, and no value is read back.
 */
export function onHostBackend(): boolean {
  return (HOST_BACKENDS as readonly string[]).includes(tf.getBackend());
}

/** What every tfjs backend gives kernels: synchronous reading and writing of values. */
export interface HostBackend {
  readSync(dataId: object): Float32Array;
  write(values: Float32Array, shape: number[], dtype: "float32"): object;
  disposeData(dataId: object): unknown;
}

/** A fresh tensor info over values. */
export function hostTensor(backend: HostBackend, values: Float32Array, shape: readonly number[]): tf.TensorInfo {
  const dataId = backend.write(values, [...shape], "float32");
  return { dataId, shape: [...shape], dtype: "float32" };
}
