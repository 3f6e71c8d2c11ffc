import { residentArray } from "./bitpress.js";

/** A copy of the values in linear memory; it stays there until the process ends. */
export function resident(values: Float32Array): () => Float32Array;
export function resident(values: Int8Array): () => Int8Array;
export function resident(values: Float32Array | Int8Array): () => Float32Array | Int8Array {
  const place =
    values instanceof Float32Array ? residentArray("float32", values.length) : residentArray("int8", values.length);
  place.array.set(values);
  return () => place.array;
}
