import { fieldMask, laneBits } from "../core/constants";
import { BLOCK } from "../core/rounding";

// Packs codes of 1, 2 or 4 bits into bytes, and back.
//
//     code i  <->  byte floor(i * bits / 8), bits (i * bits mod 8) and up: the first code is in the lowest bits
//
// Shapes (pointers are byte offsets in linear memory):
//   codes   i8 or u8[n]                read by pack (low bits only), written by unpack
//   packed  u8[ceil(n * bits / 8)]     written by pack, read by unpack; unused high bits of the last byte are 0
// The two must not overlap. Codes are in two's complement when signed is 1; pack returns 1 when all of them fit `bits` bits,
// else 0.
//
// Rounding: none. Errors: none here; the typed facade checks arguments, the debug build asserts.
// Source: ONNX int4/uint4 raw data, PyTorch quint4x2 and quint2x4.

/** Joins the two fields of each 16-bit lane: (hi << bits) | lo, where lo is byte 0 and hi byte 1. */
// @ts-ignore: decorator
@inline function joinPairs(v: v128, bits: i32): v128 {
  return v128.or(v128.and(v, i16x8.splat(0xff)), i16x8.shr_u(v, 8 - bits));
}

/** Parts each byte into two fields: the low one to byte 0 of a 16-bit lane, the high one to byte 1. */
// @ts-ignore: decorator
@inline function partPairs(bytes: v128, bits: i32): v128 {
  return v128.and(v128.or(bytes, i16x8.shl(bytes, 8 - bits)), i16x8.splat(<i16>((((<i32>1) << bits) - 1) * 0x0101)));
}

/** What 16 codes lose by being packed: 0 where they fit. */
// @ts-ignore: decorator
@inline function lostLanes(codes: v128, mask: v128, sign: v128): v128 {
  const kept = v128.and(codes, mask);
  return v128.xor(codes, i8x16.sub(v128.xor(kept, sign), sign));
}

/** 16 codes as 2, 4 or 8 packed bytes. */
// @ts-ignore: decorator
@inline function packBlock(codes: v128, packed: usize, bits: i32, mask: v128): void {
  const v = v128.and(codes, mask);
  if (bits == 1) {
    store<u16>(packed, <u16>i8x16.bitmask(i16x8.shl(v, 7)));
    return;
  }
  const pairs = joinPairs(v, bits);
  const bytes = i8x16.narrow_i16x8_u(pairs, pairs);
  if (bits == 4) {
    v128.store64_lane(packed, bytes, 0);
    return;
  }
  const quads = joinPairs(bytes, 4);
  v128.store32_lane(packed, i8x16.narrow_i16x8_u(quads, quads), 0);
}

/** 2, 4 or 8 packed bytes as 16 codes. */
// @ts-ignore: decorator
@inline function unpackBlock(packed: usize, codes: usize, bits: i32, signed: i32): void {
  let v: v128;
  if (bits == 1) {
    const each = laneBits();
    const bytes = v128.load16_splat(packed); // byte 0, byte 1, byte 0, byte 1 ...
    const spread = i8x16.shuffle(bytes, bytes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    v = i8x16.eq(v128.and(spread, each), each); // -1 where the bit is set
    v = signed ? v : v128.and(v, fieldMask(1));
    v128.store(codes, v);
    return;
  }
  if (bits == 4) {
    v = partPairs(v128.load8x8_u(packed), 4);
  } else {
    const nibbles = partPairs(i16x8.extend_low_i8x16_u(v128.load32_zero(packed)), 4);
    v = partPairs(i16x8.extend_low_i8x16_u(nibbles), 2);
  }
  if (signed) {
    const sign = i8x16.splat(<i8>((<i32>1) << (bits - 1)));
    v = i8x16.sub(v128.xor(v, sign), sign);
  }
  v128.store(codes, v);
}

// @ts-ignore: decorator
@inline function pack(codes: usize, packed: usize, n: usize, bits: i32, signed: i32): i32 {
  let fits = true;
  const sign = signed ? (<i32>1) << (bits - 1) : 0; // of a field; 0 where it has none
  const end = codes + (n & ~(BLOCK - 1));
  if (codes < end) {
    const fields = fieldMask(bits);
    const signs = i8x16.splat(<i8>sign);
    let lost = i32x4.splat(0);
    do {
      const v = v128.load(codes);
      lost = v128.or(lost, lostLanes(v, fields, signs));
      packBlock(v, packed, bits, fields);
      codes += BLOCK;
      packed += bits << 1;
    } while (codes < end);
    fits = !v128.any_true(lost);
  }
  const mask = (1 << bits) - 1;
  let byte = 0;
  let filled = 0;
  for (let rest = n & (BLOCK - 1); rest > 0; --rest) {
    const code = signed ? <i32>load<i8>(codes) : <i32>load<u8>(codes);
    fits = fits && code == ((code & mask) ^ sign) - sign;
    byte |= (code & mask) << filled;
    filled += bits;
    codes += 1;
    if (filled == 8 || rest == 1) {
      store<u8>(packed, <u8>byte);
      packed += 1;
      byte = 0;
      filled = 0;
    }
  }
  return <i32>fits;
}

// @ts-ignore: decorator
@inline function unpack(packed: usize, codes: usize, n: usize, bits: i32, signed: i32): void {
  const end = codes + (n & ~(BLOCK - 1));
  while (codes < end) {
    unpackBlock(packed, codes, bits, signed);
    codes += BLOCK;
    packed += bits << 1;
  }
  const mask = (1 << bits) - 1;
  const shift = signed ? 32 - bits : 0;
  for (let i: usize = 0; i < (n & (BLOCK - 1)); ++i) {
    const bit = i * bits;
    const field = ((<i32>load<u8>(packed + (bit >> 3))) >> (<i32>(bit & 7))) & mask;
    store<u8>(codes + i, <u8>((field << shift) >> shift));
  }
}

export function packBits(codes: usize, packed: usize, n: usize, bits: i32, signed: i32): i32 {
  assert(bits == 1 || bits == 2 || bits == 4);
  if (bits == 4) return pack(codes, packed, n, 4, signed);
  if (bits == 2) return pack(codes, packed, n, 2, signed);
  return pack(codes, packed, n, 1, signed);
}

export function unpackBits(packed: usize, codes: usize, n: usize, bits: i32, signed: i32): void {
  assert(bits == 1 || bits == 2 || bits == 4);
  if (bits == 4) unpack(packed, codes, n, 4, signed);
  else if (bits == 2) unpack(packed, codes, n, 2, signed);
  else unpack(packed, codes, n, 1, signed);
}
