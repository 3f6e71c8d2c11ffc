import { broadcastRun } from "../core/broadcast-run";
import {
  blocks,
  columns,
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
} from "../core/layer-words";
import { requantize } from "./requantize";

/** Groups of eight whose sums wait for their requantization: 2 KiB. */
const GROUPS: usize = 64;

/** Products of eight differences of codes. */
// @ts-ignore: decorator
@inline function multiplyEight(a: usize, b: usize, aZero: v128, bZero: v128, to: usize): void {
  const u = i16x8.sub(v128.load8x8_s(a), aZero);
  const v = i16x8.sub(v128.load8x8_s(b), bZero);
  v128.store(to, i32x4.extmul_low_i16x8_s(u, v));
  v128.store(to, i32x4.extmul_high_i16x8_s(u, v), 16);
}

/** Sums of what two tables of i32[256] say of eight codes. */
// @ts-ignore: decorator
@inline function addEight(a: usize, b: usize, tables: usize, to: usize): void {
  const end = to + 32;
  do {
    const first = load<i32>(tables + ((<usize>load<u8>(a++)) << 2));
    const second = load<i32>(tables + ((<usize>load<u8>(b++)) << 2), 1024);
    store<i32>(to, first + second);
    to += 4;
  } while (to < end);
}

/**
 * Two tensors, element by element, with the requantization of sums of products behind it.
 *
 *     y = requantize((a - aZeroPoint) * (b - bZeroPoint))    tables = 0
 *     y = requantize(tables[0][a] + tables[1][b])            TensorFlow Lite's sum: what it makes of one code, i32[2][256], by its bits
 *
 * Inputs are broadcast as in addCodes.
 *
 *   block    its bias takes no part; aZeroPoint i32 at 112, bZeroPoint i32 at 116
 *   scratch  a run of either input: i8[8] each, 16 bytes apart
 *            offsets  u32[GROUPS]
 *            sums     i32[GROUPS, 8]
 *
 * Reads up to 7 bytes behind a run of fewer than eight. Overflow: none, |product| <= 255^2; the tables' entries are below 2^30.
 */
export function combineCodes(layer: usize, x: usize, x2: usize, y: usize, tables: usize): void {
  const block = blocks(layer);
  const aZero = i16x8.splat(<i16>load<i32>(block, 112));
  const bZero = i16x8.splat(<i16>load<i32>(block, 116));
  const length = run(layer);
  const last = max(length - 8, 0);
  const aStep = xStep(layer);
  const bStep = x2Step(layer);
  const place = scratch(layer);
  const offsets = place + 32;
  const sums = offsets + 4 * GROUPS;
  const sumsEnd = sums + 32 * GROUPS;
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
        let offset = offsets;
        let sum = sums;
        do {
          // The last eight share some with those before them.
          const at = min(i, last);
          const aAt = aRun + (at & -aStep);
          const bAt = bRun + (at & -bStep);
          if (tables == 0) multiplyEight(aAt, bAt, aZero, bZero, sum);
          else addEight(aAt, bAt, tables, sum);
          store<u32>(offset, at);
          offset += 4;
          sum += 32;
          i += 8;
        } while (i < length && sum < sumsEnd);
        requantize(layer, block, to, offsets, sums, <i32>((offset - offsets) >> 2));
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
