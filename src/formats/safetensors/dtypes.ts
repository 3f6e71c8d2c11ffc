/** Bits per element. The order is the Rust library's own, of increasing alignment: writers sort by it, backwards. */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** Element type of a tensor in a safetensors file. */
export type Dtype = keyof typeof BITS;

/** Every dtype of the format, by increasing alignment. */
export const DTYPES = Object.keys(BITS) as readonly Dtype[];

/** Whether a value from a header names a dtype. */
export function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(BITS, value);
}

/** Bits of one element; not a multiple of 8 for F4 and F6. */
export function bitsPerElement(dtype: Dtype): number {
  return BITS[dtype];
}

/** What an offset must be a multiple of, so that a typed array can lie over the file. */
export function alignmentBytes(dtype: Dtype): number {
  return Math.max(1, BITS[dtype] / 8);
}
