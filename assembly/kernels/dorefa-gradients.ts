import { largestMagnitude, NOT_FINITE } from "../core/largest-magnitude";
import { noiseLanes, writeNoiseTable } from "../core/noise";
import { putTail, takeTail } from "../core/tail";

/** Offset in the scratch, behind a slot for the last elements of a sample: the table of noise, and in its last place MAGIC. */
const CONSTANTS: usize = 16;

/** All but dr / m is scaled by 2^24, which changes no bits and makes the noise a whole number: 1.12 to 1.17 times as fast. */
const SCALE: f32 = 16777216;

/** 1.5 * 2^23, scaled: adding it rounds to a multiple of SCALE. */
const MAGIC: f32 = 12582912 * SCALE;

/**
 * Rounds gradients to k bits with noise that makes the rounding right on average.
 *
 *     m = max |dr| over the sample,  v = fl(fl(fl(dr / m) * n/2) + n/2),  r = rne(v)
 *     code = r + rne(fl(fl(v - r) + sigma)),  out = fl(fl((2 code - n) * fl(1/n)) * m)
 *     sigma = (h >>> 8) * 2^-24 - 1/2,  h = mix(key ^ (first + i)),  mix = lowbias32
 *
 * The noise is added to what r left over, |v - r| <= 1/2, where a float holds all its bits: values on the grid, the ends
 * among them, stay as they are. The code needs no clamp: beyond the end 0 or n, v - r points inwards, and rne(-1/2) = 0.
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dr       f32[batch, size]   read, finite
 *   out      f32[batch, size]   written, may be dr
 *   scratch  u8[32]             written, 16-byte aligned
 *
 * Returns 1, or 0 when there is NaN or +-Infinity (out then means nothing). A sample of zeros gives zeros.
 * Rounding: as written; ties to even. Errors: none here; the debug build asserts.
 * Source: Zhou et al. 2016, eq. 7; the hash is lowbias32 by Chris Wellons.
 */
export function dorefaGradientsF32(
  dr: usize,
  out: usize,
  batch: usize,
  size: usize,
  bits: i32,
  key: i32,
  first: i32,
  scratch: usize,
): i32 {
  assert(bits >= 1 && bits <= 16);
  const constants = scratch + CONSTANTS;
  writeNoiseTable(constants);
  store<f32>(constants, MAGIC, 12);
  const whole = size & ~3;
  const rest = size - whole;
  for (; batch > 0; --batch) {
    const largest = largestMagnitude(dr, size);
    if (largest >= NOT_FINITE) return 0;
    if (largest == 0) memory.fill(out, 0, size << 2);
    else {
      const m = reinterpret<f32>(largest);
      if (whole > 0) roundVectors(dr, out, whole, m, bits, key, first, constants);
      if (rest > 0) {
        takeTail(scratch, dr + (whole << 2), rest);
        roundVectors(scratch, scratch, 4, m, bits, key, first + <i32>whole, constants);
        putTail(out + (whole << 2), scratch, rest);
      }
    }
    dr += size << 2;
    out += size << 2;
    first += <i32>size;
  }
  return 1;
}

/** Rounds count > 0 elements, a multiple of 4, of one sample. */
function roundVectors(
  dr: usize,
  out: usize,
  count: usize,
  largest: f32,
  bits: i32,
  key: i32,
  first: i32,
  constants: usize,
): void {
  const levels = <f32>((1 << bits) - 1);
  const m = f32x4.splat(largest);
  const half = f32x4.splat((levels / 2) * SCALE);
  const step = f32x4.splat(<f32>1 / levels / (SCALE / 2));
  const factor = v128.load32_splat(constants);
  const second = v128.load32_splat(constants, 4);
  const middle = v128.load32_splat(constants, 8);
  const magic = v128.load32_splat(constants, 12);
  const keys = i32x4.splat(key);
  const four = i32x4.splat(4);
  let index = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  const end = dr + (count << 2);
  do {
    const sigma = noiseLanes(keys, index, factor, second, middle);
    const v = f32x4.add(f32x4.mul(f32x4.div(v128.load(dr), m), half), half);
    const r = f32x4.sub(f32x4.add(v, magic), magic);
    const noisy = f32x4.add(f32x4.sub(v, r), sigma);
    // code - n/2: half of 2 code - n.
    const centred = f32x4.add(f32x4.sub(r, half), f32x4.sub(f32x4.add(noisy, magic), magic));
    v128.store(out, f32x4.mul(f32x4.mul(centred, step), m));
    index = i32x4.add(index, four);
    dr += 16;
    out += 16;
  } while (dr < end);
}
