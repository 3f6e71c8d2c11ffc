import { bitsOf, type Codes, codesFor, type Grid } from "../../core/grid.js";
import { type PackedBits, packedLength } from "../../reference/pack-bits.js";
import { packBits, unpackBits } from "../../wasm/pack-bits.js";

/** How the codes of a grid lie in a file. */
export interface CodeStorage {
  readonly dtype: "I8" | "U8" | "I16" | "U16";
  /** Width of codes packed into U8, the first in the lowest bits; undefined when each has an element of its own. */
  readonly packedBits: PackedBits | undefined;
}

/** The dtype of codes that are not packed, and of zero points. */
export function codeDtype(grid: Grid): CodeStorage["dtype"] {
  if (grid.qmin < 0) return codesFor(grid, 0).BYTES_PER_ELEMENT === 1 ? "I8" : "I16";
  return codesFor(grid, 0).BYTES_PER_ELEMENT === 1 ? "U8" : "U16";
}

/** Packed when the grid's codes fit a field of 1, 2 or 4 bits (the format has no such dtypes), else one element a code. */
export function codeStorage(grid: Grid): CodeStorage {
  const { qmin, qmax } = grid;
  const bits = bitsOf(grid);
  const fits = qmin < 0 ? qmin >= -(2 ** (bits - 1)) && qmax < 2 ** (bits - 1) : qmax < 2 ** bits;
  if (fits && (bits === 1 || bits === 2 || bits === 4)) return { dtype: "U8", packedBits: bits };
  return { dtype: codeDtype(grid), packedBits: undefined };
}

/** Elements of the stored tensor for `length` codes. */
export function storedLength({ packedBits }: CodeStorage, length: number): number {
  return packedBits === undefined ? length : packedLength(length, packedBits);
}

/** The stored bytes of codes; a view of them when they are not packed. */
export function storeCodes({ packedBits }: CodeStorage, codes: Codes): Uint8Array {
  if (packedBits !== undefined) return packBits(codes as Int8Array | Uint8Array, packedBits);
  return new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
}

/** The codes of a stored tensor, of the grid's own type. */
export function loadCodes({ packedBits }: CodeStorage, stored: Codes, length: number, { qmin }: Grid): Codes {
  if (packedBits === undefined) return stored;
  return unpackBits(stored as Uint8Array, packedBits, { length, signed: qmin < 0 });
}
