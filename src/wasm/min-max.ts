import { channelView, checkShape, resolveAxis, type Shape, tensorView } from "../core/shape.js";
import { nonFiniteError } from "../core/tensor.js";
import * as reference from "../reference/min-max.js";
import { checkFloats } from "./arguments.js";
import { eachRow, runChannels } from "./blocks.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/** Along which channels a range is taken; both or none. */
export interface RangeOptions {
  readonly shape?: Shape;
  /** Channel axis; −1 is the last. */
  readonly axis?: number;
}

/** A range per channel; arrays of length 1 for a whole tensor. */
export interface ChannelRange {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/**
 * Smallest and largest value of a tensor, or of each of its channels.
 *
 * Rounding: none; zeros come out as +0.
 *
 * @param x at least one float32 value (per channel), row-major
 * @returns arrays with one entry per channel, or one for the tensor
 *
 * Errors: RangeError for an empty tensor; QuantError `non-finite`, naming the first index, for NaN or ±Infinity.
 * Source: Jacob et al. 2018, §3.1.
 *
 * @example
 * minMax(Float32Array.of(1, -2, 3, 4), { shape: [2, 2], axis: 0 }); // min [-2, 3], max [1, 4]
 */
export function minMax(x: Float32Array, options: RangeOptions = {}, where = "minMax"): ChannelRange {
  checkFloats(where, "x", x);
  const { shape, axis } = options;
  if (shape !== undefined) checkShape(where, shape, x.length);
  if (axis !== undefined && shape === undefined) throw new TypeError(`${where}: expected shape with axis, got none`);
  if (x.length === 0) throw new RangeError(`${where}: expected at least one element, got an empty tensor`);
  const view =
    axis === undefined || shape === undefined
      ? tensorView(x.length)
      : channelView(shape, resolveAxis(where, axis, shape.length));
  const min = new Float32Array(view.channels).fill(Number.POSITIVE_INFINITY);
  const max = new Float32Array(view.channels).fill(Number.NEGATIVE_INFINITY);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    if (!reference.minMax(x, view, min, max)) throw nonFiniteError(where, x);
    return { min, max };
  }
  const { exports, arena } = kernels;
  const { length } = x;
  const values = liveArray(arena, x);
  let finite = true;
  const widen = (c: number, lo: number, hi: number): void => {
    min[c] = Math.min(min[c], lo + 0);
    max[c] = Math.max(max[c], hi + 0);
  };
  arena.scope(() => {
    const pair = arena.reserve(8);
    runChannels(kernels, {
      view,
      length,
      reads: [values()],
      writes: [],
      tables: [min, max],
      splat: ([from], n, c) => {
        finite = exports.minMaxF32(from, n, pair) === 1 && finite;
        widen(c, arena.f32[pair >>> 2], arena.f32[(pair >>> 2) + 1]);
      },
      periodic: ([from], n, [lo, hi], period) => {
        finite = exports.minMaxF32PerChannel(from, n, lo, hi, period) === 1 && finite;
      },
      finish: ([lo, hi], start, count) => {
        const { f32 } = arena;
        eachRow(view, start, count, (channel, from, to) => {
          let low = Number.POSITIVE_INFINITY;
          let high = Number.NEGATIVE_INFINITY;
          for (let i = from; i < to; i++) {
            low = Math.min(low, f32[(lo >>> 2) + i]);
            high = Math.max(high, f32[(hi >>> 2) + i]);
          }
          widen(channel, low, high);
        });
      },
    });
  });
  if (!finite) throw nonFiniteError(where, values());
  return { min, max };
}
