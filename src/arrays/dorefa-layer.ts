import type { QuantizedTensor, StateDict } from "../core/tensor.js";
import { UNTOUCHED_BITS } from "../core/unit-grid.js";
import { dorefaWeightCodes } from "../graph/lower/dorefa-weight-codes.js";
import type { CalibratedTarget } from "../quantizers/calibration-config.js";
import type { TargetName } from "../quantizers/config-list.js";
import type { DoReFaLayer, DoReFaPlan } from "../quantizers/dorefa-options.js";
import { dorefaGradients } from "../wasm/dorefa-gradients.js";
import { dorefaWeights } from "../wasm/dorefa-weights.js";
import { dorefaWeightsGradient } from "../wasm/dorefa-weights-gradient.js";
import { dorefaActivationHook } from "./dorefa-activation-hook.js";
import type { StateDictLayer } from "./weighted-layers.js";

/** Which part of a batch a gradient is. */
export interface GradientPart {
  /** Number of samples, the first axis; each has a maximum of its own. */
  readonly batch: number;
  /** Index of the first element in the whole batch, where this is a part of it. Default 0. */
  readonly offset?: number;
}

/**
 * What a training loop calls for one layer: z = input(x) · weight(), then batch norm and the like, perhaps output(…); and
 * backwards outputGradient, gradient of what arrives at z, weightGradient and inputGradient of the two products.
 *
 * What stays as it is is not copied: the hook returns the array it was given (weight: the state dict's). Arrays given to input
 * and output must keep their values until their gradient was taken.
 */
export interface DoReFaHooks {
  /** The weight, rounded as dorefaWeights does. Throws TypeError for a layer without a weight. */
  weight(): Float32Array;
  /** What enters the layer, clipped and rounded. */
  input(x: Float32Array): Float32Array;
  /** What leaves the layer, behind its batch norm, clipped and rounded: where a config list names outputs. */
  output(y: Float32Array): Float32Array;
  /** The gradient that arrives at the layer's product, rounded with noise: take it before both backward products. */
  gradient(dy: Float32Array, part: GradientPart): Float32Array;
  /** The gradient of weight(), through tanh and the maximum; call it before the weights are updated. */
  weightGradient(dw: Float32Array): Float32Array;
  /** The gradient of the last input(): passed where x was not clipped. */
  inputGradient(dx: Float32Array): Float32Array;
  /** The same of the last output(). */
  outputGradient(dy: Float32Array): Float32Array;
}

/** A layer in training, with what its DoReFaQuantizer needs beside the hooks. */
export interface DoReFaTrainedLayer {
  readonly hooks: DoReFaHooks;
  /** The entry of the weight, where that is rounded, and its bits. */
  readonly weight: { readonly entry: string; readonly bits: number } | undefined;
  /** The weight's int8 codes; throws RangeError for more than 8 bits. */
  codes(where: string): QuantizedTensor | undefined;
  calibration(where: string): Partial<Record<TargetName, CalibratedTarget>>;
}

/** Makes one layer's hooks over the tensors of a state dict; `step` tells how far training is. */
export function dorefaLayer(
  { name, weightEntries }: StateDictLayer,
  state: StateDict,
  bits: DoReFaLayer,
  { seed, activation }: Pick<DoReFaPlan, "seed" | "activation">,
  step: () => number,
): DoReFaTrainedLayer {
  const place = (part: string): string => `DoReFaQuantizer: "${name}".${part}`;
  const input = dorefaActivationHook(place("input"), bits.input, activation);
  const output = dorefaActivationHook(place("output"), bits.output, activation);
  const [entry = `${name}.weight`] = weightEntries;
  const isWeightRounded = bits.weight !== UNTOUCHED_BITS && weightEntries.length > 0;

  const weightData = (): Float32Array => {
    if (Object.hasOwn(state, entry)) return state[entry].data;
    throw new TypeError(`${place("weight")}: expected a tensor "${entry}" in the state dict, got none`);
  };
  const codes = (where: string): QuantizedTensor | undefined =>
    isWeightRounded
      ? { ...dorefaWeightCodes(`${where}: "${entry}"`, state[entry].data, bits.weight), shape: state[entry].shape }
      : undefined;

  return {
    hooks: {
      weight: () => (isWeightRounded ? dorefaWeights(weightData(), bits.weight) : weightData()),
      input: (x) => input?.forward(x) ?? x,
      output: (y) => output?.forward(y) ?? y,
      gradient(dy, { batch, offset = 0 }) {
        if (bits.gradient === UNTOUCHED_BITS || bits.tensor === undefined) return dy;
        return dorefaGradients(dy, bits.gradient, { batch, offset, seed, step: step(), tensor: bits.tensor });
      },
      weightGradient: (dw) => (isWeightRounded ? dorefaWeightsGradient(dw, weightData(), bits.weight) : dw),
      inputGradient: (dx) => input?.gradient(dx) ?? dx,
      outputGradient: (dy) => output?.gradient(dy) ?? dy,
    },
    weight: isWeightRounded ? { entry, bits: bits.weight } : undefined,
    codes,
    calibration(where) {
      const weight = codes(where);
      return {
        ...(weight && { weight: { params: weight.params, symmetric: true, bits: bits.weight } }),
        ...(input && { input: input.calibration() }),
        ...(output && { output: output.calibration() }),
      };
    },
  };
}
