/** Field widths that divide a byte. */
export type PackedBits = 1 | 2 | 4;

/** Bytes that hold `length` fields of `bits` bits. */
export function packedLength(length: number, bits: PackedBits): number {
  return Math.ceil((length * bits) / 8);
}

/**
 * Packs the low `bits` bits of each code, 8/bits codes to a byte.
 *
 *     code i goes to byte ⌊i·bits/8⌋, bits (i·bits mod 8) and up: the first code is in the lowest bits
 *
 * The unused high bits of the last byte are 0. Signed codes keep their two's complement bits.
 * Source: ONNX int4/uint4 raw data and PyTorch quint4x2/quint2x4.
 */
export function packBits(q: Int8Array | Uint8Array, bits: PackedBits, out: Uint8Array): void {
  const mask = 2 ** bits - 1;
  out.fill(0);
  for (let i = 0; i < q.length; i++) {
    const bit = i * bits;
    out[Math.floor(bit / 8)] |= (q[i] & mask) << (bit % 8);
  }
}

/** Inverse of packBits: reads out.length fields; a signed `out` (Int8Array) gets sign-extended codes. */
export function unpackBits(packed: Uint8Array, bits: PackedBits, out: Int8Array | Uint8Array): void {
  const mask = 2 ** bits - 1;
  const shift = out instanceof Int8Array ? 32 - bits : 0;
  for (let i = 0; i < out.length; i++) {
    const bit = i * bits;
    out[i] = (((packed[Math.floor(bit / 8)] >>> (bit % 8)) & mask) << shift) >> shift;
  }
}
