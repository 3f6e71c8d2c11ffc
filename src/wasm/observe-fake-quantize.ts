import { type GridOptions, gridOf } from "../core/grid.js";
import type { QuantParams } from "../core/quant-params.js";
import { nonFiniteError } from "../core/tensor.js";
import * as reference from "../reference/observe-fake-quantize.js";
import { checkFloats, checkOverlap, floatOutput } from "./arguments.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/**
 * Updates a moving range with one tensor, then rounds the tensor to the grid of the updated range.
 *
 * @param x at least one finite float32 value
 * @param range [min, max], updated in place
 * @param step whether this is the first batch, and the decay
 * @param options the grid
 * @param out optional Float32Array for the result; may be x itself
 * @param where begins the message of every error
 * @returns the rounded values and the parameters they were rounded with
 *
 * Errors: as minMax and chooseQuantParams; nothing is changed then.
 */
export function observeFakeQuantize(
  x: Float32Array,
  range: Float32Array,
  step: reference.MovingRangeStep,
  options: GridOptions,
  out?: Float32Array,
  where = "observeFakeQuantize",
): { values: Float32Array; params: QuantParams } {
  checkFloats(where, "x", x);
  if (x.length === 0) throw new RangeError(`${where}: expected at least one element, got an empty tensor`);
  const grid = gridOf(where, options);
  const values = floatOutput(where, out, x.length);
  checkOverlap(where, x, values, true);
  const kernels = loadedKernels();
  if (kernels === undefined) {
    const params = reference.observeFakeQuantize(x, range, step, options, values, where);
    if (params === undefined) throw nonFiniteError(where, x);
    return { values, params };
  }
  const { arena, exports } = kernels;
  // The range must be complete before the first value is rounded, so the whole tensor has to be in memory.
  const [xPtr, outPtr] = [x, values].map((array) => (array.buffer === arena.buffer ? array.byteOffset : undefined));
  const { length } = x;
  const input = liveArray(arena, x);
  const output = liveArray(arena, values);
  return arena.scope(() => {
    const state = arena.reserve(16);
    const from = xPtr ?? arena.reserve(4 * length);
    // A resident x is the caller's: its results go elsewhere unless it is the output too.
    const to = outPtr ?? (xPtr === undefined ? from : arena.reserve(4 * length));
    const { f32 } = arena;
    if (xPtr === undefined) f32.set(x, from >>> 2);
    f32.set(range, state >>> 2);
    const status = exports.observeFakeQuantizeF32(
      from,
      to,
      length,
      state,
      step.first ? 1 : 0,
      step.decay,
      grid.qmin,
      grid.qmax,
      options.symmetric ? 1 : 0,
    );
    if (status === 1) throw nonFiniteError(where, input());
    // The definition throws on such a range, naming its ends, before it changes anything.
    if (status === 2) reference.observeFakeQuantize(input(), range, step, options, output(), where);
    range.set(f32.subarray(state >>> 2, (state >>> 2) + 2));
    if (outPtr === undefined) values.set(f32.subarray(to >>> 2, (to >>> 2) + length));
    const scale = f32[(state >>> 2) + 2];
    return { values: output(), params: { scale, zeroPoint: arena.i32[(state >>> 2) + 3], ...grid } };
  });
}
