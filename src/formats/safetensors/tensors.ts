import { decodeBfloat16, decodeFloat16 } from "../../core/float16.js";
import type { Shape } from "../../core/shape.js";
import type { QuantizedTensor, Tensor } from "../../core/tensor.js";
import type { Dtype } from "./dtypes.js";

/** A float tensor of a file: float32 whatever it was stored as. */
export interface FloatTensor extends Tensor {
  /** What it was stored as. F64 was rounded to float32. */
  readonly dtype: "F64" | "F32" | "F16" | "BF16";
}

/** The typed array of each integer dtype. BOOL: 0 and 1. */
export interface IntegerArrays {
  readonly BOOL: Uint8Array;
  readonly U8: Uint8Array;
  readonly I8: Int8Array;
  readonly U16: Uint16Array;
  readonly I16: Int16Array;
  readonly U32: Uint32Array;
  readonly I32: Int32Array;
  readonly U64: BigUint64Array;
  readonly I64: BigInt64Array;
}

/** An integer tensor that is not quantized: an index, a counter, a mask. */
export type IntegerTensor = {
  readonly [D in keyof IntegerArrays]: {
    readonly data: IntegerArrays[D];
    readonly shape: Shape;
    readonly dtype: D;
  };
}[keyof IntegerArrays];

/** Any tensor of a file: quantized ones have `params`, the others `dtype`. */
export type SafetensorsTensor = FloatTensor | IntegerTensor | QuantizedTensor;

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

const INTEGERS: { readonly [D in keyof IntegerArrays]: ArrayType<IntegerArrays[D]> } = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  U32: Uint32Array,
  I32: Int32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
};

/** Whether decodeFloats reads a dtype. */
export function isFloat(dtype: Dtype): dtype is FloatTensor["dtype"] {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16" || dtype === "F64";
}

/** Whether integersOf reads a dtype. */
export function isInteger(dtype: Dtype): dtype is IntegerTensor["dtype"] {
  return Object.hasOwn(INTEGERS, dtype);
}

/**
 * Float32 values of a tensor's bytes (little endian).
 *
 * F32 is a view of the bytes where their alignment allows it, else a copy; F16 and BF16 are exact; F64 is rounded once, to
 * nearest, ties to even, and overflows to ±Infinity.
 */
export function decodeFloats(bytes: Uint8Array, dtype: FloatTensor["dtype"]): Float32Array {
  if (dtype === "F32") return view(bytes, Float32Array);
  if (dtype === "F64") return new Float32Array(view(bytes, Float64Array));
  const halves = view(bytes, Uint16Array);
  return dtype === "F16" ? decodeFloat16(halves) : decodeBfloat16(halves);
}

/** Integers of a tensor's bytes (little endian): a view where their alignment allows it, else a copy. */
export function integersOf<D extends IntegerTensor["dtype"]>(bytes: Uint8Array, dtype: D): IntegerArrays[D] {
  return view(bytes, INTEGERS[dtype] as ArrayType<IntegerArrays[D]>);
}

/** The dtype of an integer array, or undefined for another kind of value. */
export function integerDtype(data: unknown): Exclude<IntegerTensor["dtype"], "BOOL"> | undefined {
  if (data instanceof Uint8Array) return "U8";
  if (data instanceof Int8Array) return "I8";
  if (data instanceof Uint16Array) return "U16";
  if (data instanceof Int16Array) return "I16";
  if (data instanceof Uint32Array) return "U32";
  if (data instanceof Int32Array) return "I32";
  if (data instanceof BigUint64Array) return "U64";
  if (data instanceof BigInt64Array) return "I64";
  return undefined;
}

function view<T>(bytes: Uint8Array, type: ArrayType<T>): T {
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / type.BYTES_PER_ELEMENT);
}
