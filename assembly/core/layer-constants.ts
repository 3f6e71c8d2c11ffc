// The constants block of the integer layers: what core/constants.ts is for the float kernels, and for the same reasons.
//
//   offset  type     value
//        0  i32      bits of 1.5 * 2^23   adding it rounds |v| <= 2^22 to an integer, ties to even, in the low mantissa bits
//       16  i32[8]   0                    what sums without a bias start from

/** Size of the block; a multiple of 16. */
const LAYER_CONSTANTS_BYTES: usize = 48;

let constants: usize = 0;

/** Fills the block of constants at ptr (16-byte aligned) and keeps its address; returns its size in bytes. */
export function initLayerConstants(ptr: usize): usize {
  constants = ptr;
  memory.fill(ptr, 0, LAYER_CONSTANTS_BYTES);
  store<i32>(ptr, 0x4b400000);
  return LAYER_CONSTANTS_BYTES;
}

/** i32x4 of the bits of 1.5 * 2^23; the same register as f32x4 is that number. */
// @ts-ignore: decorator
@inline export function magicBits(): v128 {
  return v128.load32_splat(constants);
}

/** Address of eight zeros. */
// @ts-ignore: decorator
@inline export function zeros(): usize {
  return constants + 16;
}
