// The constants block: vector constants that kernels load instead of writing literals.
//
// V8 rebuilds a literal v128.const at every use (1.6x on quantize in V8 13); a load before the loop from memory that the
// optimizer cannot fold stays in a register. The address is the only mutable global of the module, so that one binary
// works in any memory: the library's arena, the tfjs wasm backend's heap, or shared memory.
//
//   offset  type  value
//        0  f32   1.5 * 2^23   adding it rounds |v| <= 2^22 to an integer, ties to even, in the low mantissa bits
//        4  i32   bits of 1.5 * 2^23
//        8  f32   2^20         beyond every code, inside the range of the rounding addition
//       12  i32   0x0f0f0f0f   mask of low nibbles
//       16  i32   0x03030303   mask of low pairs of bits
//       20  i32   0x01010101   mask of low bits
//       24  u8x8  1, 2, 4, ... 128   bit of each of eight lanes
//       32  i32   0x00007fff   mask of the fraction of fixed-point codes (near-ties.ts)
//       36  i16   34560, twice fixed-point code 0 (near-ties.ts)
//       40  i16   0x4b00, twice   upper half of the bits of 2^23
//       44  i8    0x80, four times   sign of a byte

/** Size of the block; a multiple of 16. */
const CONSTANTS_BYTES: usize = 48;

let constants: usize = 0;

/** Fills the block of constants at ptr (16-byte aligned) and keeps its address; returns its size in bytes. */
export function initConstants(ptr: usize): usize {
  constants = ptr;
  store<f32>(ptr, 12582912.0);
  store<i32>(ptr, 0x4b400000, 4);
  store<f32>(ptr, 1048576.0, 8);
  store<i32>(ptr, 0x0f0f0f0f, 12);
  store<i32>(ptr, 0x03030303, 16);
  store<i32>(ptr, 0x01010101, 20);
  store<u64>(ptr, 0x8040201008040201, 24);
  store<i32>(ptr, 0x00007fff, 32);
  store<i32>(ptr, 34560 * 0x10001, 36);
  store<i32>(ptr, 0x4b004b00, 40);
  store<i32>(ptr, 0x80808080, 44);
  return CONSTANTS_BYTES;
}

/** f32x4 of 1.5 * 2^23. */
// @ts-ignore: decorator
@inline export function magicF32(): v128 {
  return v128.load32_splat(constants);
}

/** i32x4 of the bits of 1.5 * 2^23. */
// @ts-ignore: decorator
@inline export function magicBits(): v128 {
  return v128.load32_splat(constants, 4);
}

/** f32x4 of 2^20. */
// @ts-ignore: decorator
@inline export function beyondCodes(): v128 {
  return v128.load32_splat(constants, 8);
}

/** i8x16 of 2^bits - 1 for bits 4, 2 or 1. */
// @ts-ignore: decorator
@inline export function fieldMask(bits: i32): v128 {
  return v128.load32_splat(constants + (bits == 4 ? 12 : bits == 2 ? 16 : 20));
}

/** i8x16 of 1, 2, 4 ... 128, 1, 2 ... 128. */
// @ts-ignore: decorator
@inline export function laneBits(): v128 {
  return v128.load64_splat(constants, 24);
}

/** i32x4 of the mask of 15 fraction bits. */
// @ts-ignore: decorator
@inline export function fractionMask(): v128 {
  return v128.load32_splat(constants, 32);
}

/** i16x8 of fixed-point code 0 above its fraction. */
// @ts-ignore: decorator
@inline export function fixedZero(): v128 {
  return v128.load32_splat(constants, 36);
}

/** i16x8 of the upper half of the bits of 2^23. */
// @ts-ignore: decorator
@inline export function upperHalves(): v128 {
  return v128.load32_splat(constants, 40);
}

/** i8x16 of 0x80. */
// @ts-ignore: decorator
@inline export function signBytes(): v128 {
  return v128.load32_splat(constants, 44);
}
