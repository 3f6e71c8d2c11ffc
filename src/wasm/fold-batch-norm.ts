import { QuantError } from "../core/errors.js";
import { type ChannelView, channelView, checkShape, resolveAxis, type Shape } from "../core/shape.js";
import { firstNonFinite } from "../core/tensor.js";
import * as reference from "../reference/fold-batch-norm.js";
import { fl } from "../reference/rounding.js";
import { checkFloats, checkLength } from "./arguments.js";
import { runChannels } from "./blocks.js";
import { liveArray } from "./live-array.js";
import { type Kernels, loadedKernels } from "./load.js";

/** A layer's weights and the batch normalization after it. Arrays have one entry per output channel. */
export interface BatchNormInput {
  readonly weights: Float32Array;
  /** Absent: zeros. */
  readonly bias?: Float32Array;
  /** Absent: ones. */
  readonly gamma?: Float32Array;
  /** Absent: zeros. */
  readonly beta?: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  /** > 0; rounded to float32. */
  readonly epsilon: number;
}

/** Folded weights and bias. */
export interface FoldedLayer {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Folds batch normalization into the weights and bias of the layer before it.
 *
 *     k = fl(gamma · fl(1 / fl(√fl(variance + epsilon)))),  w′ = fl(w · k),  b′ = fl(fl(fl(b − mean) · k) + beta)
 *
 * Rounding: to float32 after each operation, in the order written. gamma = 0 and variance = 0 give finite results.
 *
 * @param layer weights and statistics; plain arrays
 * @param options shape of the weights, and the axis of their output channels (−1 is the last)
 * @returns fresh arrays
 *
 * Errors: TypeError, RangeError for arguments of a wrong kind, length or range (negative variance, epsilon ≤ 0);
 * QuantError `non-finite`, naming the array and the index, for NaN or ±Infinity, and where a folded value overflows float32.
 * Source: Jacob et al. 2018, eq. 14.
 *
 * @example
 * const layer = { weights: Float32Array.of(1, 2), mean: Float32Array.of(0, 1), variance: Float32Array.of(3, 3), epsilon: 1 };
 * foldBatchNorm(layer, { shape: [1, 2], axis: 1 }); // weights [0.5, 1], bias [0, -0.5]
 */
export function foldBatchNorm(layer: BatchNormInput, options: { shape: Shape; axis: number }): FoldedLayer {
  const where = "foldBatchNorm";
  checkFloats(where, "weights", layer.weights);
  checkShape(where, options.shape, layer.weights.length);
  const view = channelView(options.shape, resolveAxis(where, options.axis, options.shape.length));
  const epsilon = fl(layer.epsilon);
  if (!(epsilon > 0 && epsilon < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${where}: expected epsilon > 0 in float32, got ${layer.epsilon}`);
  }
  const { channels } = view;
  const input = {
    weights: layer.weights,
    bias: layer.bias ?? new Float32Array(channels),
    gamma: layer.gamma ?? new Float32Array(channels).fill(1),
    beta: layer.beta ?? new Float32Array(channels),
    mean: layer.mean,
    variance: layer.variance,
  };
  for (const [name, array] of Object.entries(input)) {
    checkFloats(where, name, array);
    if (name === "weights") continue; // many: kernels look at the folded ones
    checkLength(where, name, array, channels);
    checkFinite(where, name, array);
  }
  const negative = input.variance.findIndex((v) => v < 0);
  if (negative >= 0) {
    throw new RangeError(`${where}: expected variance ≥ 0, got ${input.variance[negative]} at channel ${negative}`);
  }
  const weights = new Float32Array(layer.weights.length);
  const bias = new Float32Array(channels);
  const kernels = loadedKernels();
  if (kernels !== undefined) {
    fold(kernels, input, epsilon, view, weights, bias);
  } else {
    checkFinite(where, "weights", input.weights);
    const k = new Float32Array(channels);
    reference.foldBatchNormScale(input.gamma, input.variance, epsilon, k);
    reference.foldBatchNormWeights(input.weights, k, view, weights);
    reference.foldBatchNormBias(input.bias, input.mean, k, input.beta, bias);
    checkFolded(where, "weights", weights);
  }
  checkFolded(where, "bias", bias);
  return { weights, bias };
}

function checkFinite(where: string, name: string, array: Float32Array): void {
  const index = firstNonFinite(array);
  if (index >= 0) {
    throw new QuantError("non-finite", `${where}: expected finite ${name}, got ${array[index]} at index ${index}`, {
      name,
      index,
    });
  }
}

/** Finite weights and statistics whose products are not: gamma / √(variance + epsilon) is too large for float32. */
function checkFolded(where: string, name: string, array: Float32Array): void {
  const index = firstNonFinite(array);
  if (index < 0) return;
  throw new QuantError(
    "non-finite",
    `${where}: expected folded ${name} within float32, got ${array[index]} at index ${index}; look at gamma, variance and epsilon`,
    { name, index },
  );
}

function fold(
  kernels: Kernels,
  input: Required<Omit<BatchNormInput, "epsilon">>,
  epsilon: number,
  view: ChannelView,
  weights: Float32Array,
  bias: Float32Array,
): void {
  const { exports, arena } = kernels;
  const { channels } = view;
  const k = new Float32Array(channels);
  const values = liveArray(arena, input.weights);
  arena.scope(() => {
    const vectors = [input.gamma, input.variance, input.bias, input.mean, input.beta];
    const [gamma, variance, before, mean, beta] = vectors
      .map((array) => liveArray(arena, array))
      .map((live) => {
        const ptr = arena.reserve(4 * channels);
        arena.f32.set(live(), ptr >>> 2);
        return ptr;
      });
    const scale = arena.reserve(4 * channels);
    const after = arena.reserve(4 * channels);
    exports.foldBatchNormScaleF32(gamma, variance, epsilon, scale, channels);
    exports.foldBatchNormBiasF32(before, mean, scale, beta, after, channels);
    k.set(arena.f32.subarray(scale >>> 2, (scale >>> 2) + channels));
    bias.set(arena.f32.subarray(after >>> 2, (after >>> 2) + channels));
  });
  let finite = true;
  arena.scope(() => {
    const range = arena.reserve(8);
    const look = (ptr: number, n: number): void => {
      finite = exports.minMaxF32(ptr, n, range) === 1 && finite;
    };
    runChannels(kernels, {
      view,
      length: weights.length,
      reads: [values()],
      writes: [weights],
      tables: [k],
      splat: ([from, to], n, c) => {
        exports.foldBatchNormWeightsF32(from, to, n, k[c]);
        look(to, n);
      },
      periodic: ([from, to], n, [table], period) => {
        exports.foldBatchNormWeightsF32PerChannel(from, to, n, table, period);
        look(to, n);
      },
    });
  });
  if (finite) return;
  // NaN and ±Infinity survive a finite factor, so what came in is looked at first; else a product overflowed.
  checkFinite("foldBatchNorm", "weights", values());
  checkFolded("foldBatchNorm", "weights", weights);
}
