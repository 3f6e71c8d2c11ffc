import * as reference from "../reference/pack-bits.js";
import { checkLength } from "./arguments.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

// Codes per trip through linear memory; a multiple of 8, so that every trip but the last ends on a whole byte.
const BLOCK = 65536;

/**
 * Packs codes of 1, 2 or 4 bits into bytes.
 *
 *     code i goes to byte ⌊i·bits/8⌋, bits (i·bits mod 8) and up: the first code is in the lowest bits
 *
 * The unused high bits of the last byte are 0. Signed codes keep their two's complement bits.
 *
 * @param q codes that fit `bits` bits, signed in an Int8Array, unsigned in a Uint8Array
 * @returns a fresh array of ⌈length·bits/8⌉ bytes
 *
 * Errors: RangeError for other widths, or a code that does not fit (its index and value are named).
 * Source: ONNX int4/uint4 raw data; PyTorch quint4x2 and quint2x4 use the same order.
 *
 * @example
 * packBits(Uint8Array.of(1, 2, 3), 4); // Uint8Array [0x21, 0x03]
 */
export function packBits(q: Int8Array | Uint8Array, bits: reference.PackedBits): Uint8Array {
  checkWidth("packBits", bits);
  checkBytes("packBits", "q", q);
  const out = new Uint8Array(reference.packedLength(q.length, bits));
  const kernels = loadedKernels();
  if (kernels === undefined) {
    checkFit(q, bits);
    reference.packBits(q, bits, out);
    return out;
  }
  const { arena, exports } = kernels;
  const { length } = q;
  const signed = q instanceof Int8Array ? 1 : 0;
  const codes = liveArray(arena, q);
  arena.scope(() => {
    const from = arena.reserve(Math.min(BLOCK, length));
    const to = arena.reserve(Math.min(BLOCK, out.length));
    for (let start = 0; start < length; start += BLOCK) {
      const part = codes().subarray(start, start + BLOCK);
      const bytes = reference.packedLength(part.length, bits);
      arena.u8.set(part, from);
      if (exports.packBits(from, to, part.length, bits, signed) === 0) checkFit(codes(), bits);
      out.set(arena.u8.subarray(to, to + bytes), (start * bits) / 8);
    }
  });
  return out;
}

/**
 * Unpacks bytes into codes of 1, 2 or 4 bits: the inverse of packBits.
 *
 * @param packed at least ⌈length·bits/8⌉ bytes
 * @param options number of codes, and whether they are two's complement
 * @returns a fresh Int8Array (signed) or Uint8Array
 *
 * Errors: RangeError for other widths, or a length that does not match the bytes.
 *
 * @example
 * unpackBits(Uint8Array.of(0xe1), 4, { length: 2, signed: true }); // Int8Array [1, -2]
 */
export function unpackBits(
  packed: Uint8Array,
  bits: reference.PackedBits,
  options: { length: number; signed: boolean },
): Int8Array | Uint8Array {
  checkWidth("unpackBits", bits);
  checkBytes("unpackBits", "packed", packed);
  const { length, signed } = options;
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`unpackBits: expected length ≥ 0, got ${length}`);
  }
  checkLength("unpackBits", "packed", packed, reference.packedLength(length, bits));
  const out = signed ? new Int8Array(length) : new Uint8Array(length);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    reference.unpackBits(packed, bits, out);
    return out;
  }
  const { arena, exports } = kernels;
  const bytes = liveArray(arena, packed);
  arena.scope(() => {
    const from = arena.reserve(Math.min(BLOCK, packed.length));
    const to = arena.reserve(Math.min(BLOCK, length));
    for (let start = 0; start < length; start += BLOCK) {
      const count = Math.min(BLOCK, length - start);
      const first = (start * bits) / 8;
      arena.u8.set(bytes().subarray(first, first + reference.packedLength(count, bits)), from);
      exports.unpackBits(from, to, count, bits, signed ? 1 : 0);
      out.set(new Int8Array(arena.buffer, to, count), start);
    }
  });
  return out;
}

function checkWidth(where: string, bits: number): void {
  if (bits !== 1 && bits !== 2 && bits !== 4) {
    throw new RangeError(`${where}: expected bits to be 1, 2 or 4, got ${String(bits)}; 8-bit codes need no packing`);
  }
}

/** Throws RangeError naming the first code that does not fit. */
function checkFit(q: Int8Array | Uint8Array, bits: number): void {
  const [lo, hi] = q instanceof Int8Array ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const misfit = q.findIndex((code) => code < lo || code > hi);
  if (misfit >= 0) {
    throw new RangeError(`packBits: expected codes in [${lo}, ${hi}], got ${q[misfit]} at index ${misfit}`);
  }
}

function checkBytes(where: string, name: string, array: unknown): void {
  if (!(array instanceof Int8Array) && !(array instanceof Uint8Array)) {
    throw new TypeError(
      `${where}: expected ${name} to be an Int8Array or Uint8Array, got ${Object.prototype.toString.call(array)}`,
    );
  }
}
