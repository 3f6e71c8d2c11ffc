import type { Shape } from "../../core/shape.js";

// What a .tflite file says, as plain data: the middle of both directions.
//
//   bytes ── decodeFile ─► FileModel ── readGraph ──► QuantizedGraph
//   bytes ◄─ encodeFile ── FileModel ◄─ fileModel ─── QuantizedGraph

export interface FileModel {
  /** Name of the subgraph. */
  readonly name: string;
  readonly tensors: readonly FileTensor[];
  /** Indices of tensors. */
  readonly inputs: readonly number[];
  /** Indices of tensors. */
  readonly outputs: readonly number[];
  readonly operators: readonly FileOperator[];
}

export interface FileTensor {
  readonly name: string;
  readonly shape: Shape;
  /** TensorType. */
  readonly type: number;
  /** Content of a constant, little endian; 4-bit codes two to a byte. */
  readonly data?: Uint8Array;
  /** Empty: not quantized. */
  readonly scales: Float32Array;
  /** Empty, or one per scale. */
  readonly zeroPoints: readonly number[];
  /** Axis of several scales. */
  readonly axis: number;
}

export interface FileOperator {
  /** BuiltinOperator. */
  readonly code: number;
  readonly version: number;
  /** Name of a custom operator. */
  readonly custom?: string;
  /** Indices of tensors; −1: an optional one that is absent. */
  readonly inputs: readonly number[];
  /** Indices of tensors. */
  readonly outputs: readonly number[];
  /** The fields of its options, in the order of the schema: OPTIONS says which. */
  readonly options: readonly number[];
}
