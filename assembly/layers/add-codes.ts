import { broadcastRun } from "../core/broadcast-run";
import {
  blockCount,
  blocks,
  blockShift,
  columns,
  qmax,
  qmin,
  rows,
  run,
  scratch,
  x2PixelBytes,
  x2RowBytes,
  x2Step,
  xPixelBytes,
  xRowBytes,
  xStep,
  yPixelBytes,
  yRowBytes,
  zeroPoint,
} from "../core/layer-words";
import { storeCodes } from "../core/store-codes";

/** (bias + a * aMultiplier + b * bMultiplier) >> shift. */
// @ts-ignore: decorator
@inline function sumOf(a: v128, b: v128, aMultiplier: v128, bMultiplier: v128, bias: v128, shift: i32): v128 {
  const sum = i32x4.add(i32x4.add(bias, i32x4.mul(a, aMultiplier)), i32x4.mul(b, bMultiplier));
  return i32x4.shr_s(sum, shift);
}

/**
 * Sum or difference of two tensors, rounded once, ties toward +infinity.
 *
 *     y = clamp(zeroPoint + ((bias + a * aMultiplier + b * bMultiplier) >> shift), qmin, qmax)
 *
 * The bias holds the zero points and half of 2^shift. Either input may serve several pixels, or all elements of a run, with
 * the same code.
 *
 *   block    bias i32[8], aMultiplier i32[8] at 32, bMultiplier i32[8] at 64, shift; all eight alike
 *   scratch  a run of either input: i8[8] each, 16 bytes apart
 *
 * Reads up to 7 bytes behind a run of fewer than eight. Overflow: the plan proves that the whole sum fits 32 bits; its parts may wrap.
 */
export function addCodes(layer: usize, x: usize, x2: usize, y: usize): void {
  const block = blocks(layer);
  const bias = v128.load(block);
  const aMultiplier = v128.load(block, 32);
  const bMultiplier = v128.load(block, 64);
  const shift = blockShift(block);
  const count = blockCount(block);
  const zero = i16x8.splat(<i16>zeroPoint(layer));
  const lo = i16x8.splat(<i16>qmin(layer));
  const hi = i16x8.splat(<i16>qmax(layer));
  const length = run(layer);
  const last = max(length - 8, 0);
  const aStep = xStep(layer);
  const bStep = x2Step(layer);
  const place = scratch(layer);
  let left = rows(layer);
  do {
    let a = x;
    let b = x2;
    let to = y;
    let pixels = columns(layer);
    do {
      const aRun = broadcastRun(a, aStep, place);
      const bRun = broadcastRun(b, bStep, place + 16);
      let i = 0;
      do {
        // The last eight share some with those before them.
        const at = min(i, last);
        const u = v128.load8x8_s(aRun + (at & -aStep));
        const v = v128.load8x8_s(bRun + (at & -bStep));
        const low = sumOf(
          i32x4.extend_low_i16x8_s(u),
          i32x4.extend_low_i16x8_s(v),
          aMultiplier,
          bMultiplier,
          bias,
          shift,
        );
        const high = sumOf(
          i32x4.extend_high_i16x8_s(u),
          i32x4.extend_high_i16x8_s(v),
          aMultiplier,
          bMultiplier,
          bias,
          shift,
        );
        const q = i16x8.max_s(i16x8.min_s(i16x8.add_sat_s(i16x8.narrow_i32x4_s(low, high), zero), hi), lo);
        storeCodes(to + at, i8x16.narrow_i16x8_s(q, q), count);
        i += 8;
      } while (i < length);
      a += xPixelBytes(layer);
      b += x2PixelBytes(layer);
      to += yPixelBytes(layer);
    } while (--pixels > 0);
    x += xRowBytes(layer);
    x2 += x2RowBytes(layer);
    y += yRowBytes(layer);
  } while (--left > 0);
}
