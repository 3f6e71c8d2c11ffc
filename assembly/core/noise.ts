// Noise of DoReFa's gradients, one number per element: a hash of the element's index and a key, so that it is the same in
// whatever order elements are visited. The definition is src/reference/gradient-noise.ts.
//
//     h = mix(key ^ index),  mix = lowbias32 by Chris Wellons,  sigma = (h >>> 8) * 2^-24 - 1/2

/** Writes the table of constants, 16 bytes at ptr: literals would be rebuilt at every use (core/constants.ts). */
export function writeNoiseTable(ptr: usize): void {
  store<i32>(ptr, 0x7feb352d);
  store<i32>(ptr, 0x846ca68b, 4);
  store<i32>(ptr, 1 << 23, 8);
}

/** 2^24 sigma of four elements, whole numbers in [-2^23, 2^23); factor, second, middle: entries 0, 1 and 2 of the table. */
// @ts-ignore: decorator
@inline export function noiseLanes(keys: v128, index: v128, factor: v128, second: v128, middle: v128): v128 {
  let h = v128.xor(keys, index);
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), factor);
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), second);
  h = v128.xor(h, i32x4.shr_u(h, 16));
  return f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(h, 8), middle));
}
