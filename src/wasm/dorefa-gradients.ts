import { checkUnitBits, UNTOUCHED_BITS } from "../core/unit-grid.js";
import * as reference from "../reference/dorefa-gradients.js";
import { type NoiseSource, noiseKey } from "../reference/gradient-noise.js";
import { checkFloats, type OutOption } from "./arguments.js";
import { type CheckedCall, copied, runChecked } from "./checked-call.js";
import { NO_WORDS } from "./kernel-call.js";

/** How many samples, and what their noise is drawn from. seed, step, tensor: integers in [0, 2^32). */
export interface GradientOptions extends NoiseSource, OutOption {
  /** Number of samples, the first axis; each has a maximum of its own. */
  readonly batch: number;
  /** Index of the first element in the whole batch, where dr is a part of it. Default 0. */
  readonly offset?: number;
}

/** dorefaGradients of `length` values in `batch` samples, 1…16 bits: input dr, output y. */
export function dorefaGradientsCall(
  length: number,
  bits: number,
  batch: number,
  source: NoiseSource,
  offset = 0,
): CheckedCall {
  const found = { finite: true };
  const key = noiseKey(source);
  const first = offset % 2 ** 32;
  return {
    found,
    inputs: [length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 32,
    run: (exports, { inputs: [dr], outputs: [y], scratch }) => {
      const size = length / batch;
      found.finite = exports.dorefaGradientsF32(dr, y, batch, size, bits, key, first, scratch) === 1;
    },
    reference: ([dr], [y]) => {
      found.finite = reference.dorefaGradients(dr, bits, { batch, key, first }, y);
    },
  };
}

/**
 * Rounds gradients to few bits with noise that makes the rounding right on average, as DoReFa-Net does.
 *
 *     y = 2m · (quantize_k(dr/(2m) + ½ + σ/n) − ½),  m = max|dr| of the sample,  n = 2^k − 1,  σ uniform in [−½, ½)
 *
 * On average y is dr. The ends ±m, and all values on the grid, stay as they are. A sample of zeros gives zeros; 32 bits leave
 * dr as it is. σ is drawn per element from a hash of seed, step, tensor and offset + index: the same everywhere, whatever the
 * order, and however a batch is split, as long as each part says its offset. Count step up with each training step and give
 * each tensor its own number, or their noise is the same.
 * Rounding: float32 after each operation, ties to even (docs/numerics.md, "DoReFa").
 *
 * @param dr gradient arriving at the output of a layer, [batch, …], finite
 * @param bits 1…16, or 32
 * @param options `out` may be dr itself
 * @returns `out`, or a fresh Float32Array
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range; QuantError `non-finite`, naming the index.
 * Source: Zhou et al. 2016, eq. 7; the hash is lowbias32.
 *
 * @example
 * const dr = Float32Array.of(2, -2, 0.5, 0, 0, 0);
 * dorefaGradients(dr, 1, { batch: 2, seed: 1, step: 0, tensor: 0 }); // Float32Array [2, -2, 2, 0, 0, 0]
 */
export function dorefaGradients(dr: Float32Array, bits: number, options: GradientOptions): Float32Array {
  const where = "dorefaGradients";
  checkFloats(where, "dr", dr);
  checkUnitBits(where, bits);
  const { batch, offset = 0, out } = options;
  if (!Number.isInteger(batch) || batch < 1 || dr.length % batch !== 0) {
    throw new RangeError(`${where}: expected a batch ≥ 1 that divides ${dr.length} elements, got ${batch}`);
  }
  for (const name of ["seed", "step", "tensor"] as const) {
    if (!(Number.isInteger(options[name]) && options[name] >= 0 && options[name] < 2 ** 32)) {
      throw new RangeError(`${where}: expected an integer ${name} in [0, 2^32), got ${options[name]}`);
    }
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`${where}: expected an integer offset ≥ 0, got ${offset}`);
  }
  if (bits === UNTOUCHED_BITS) return copied(where, dr, out);
  return runChecked(where, dorefaGradientsCall(dr.length, bits, batch, options, offset), [dr], dr, out);
}
