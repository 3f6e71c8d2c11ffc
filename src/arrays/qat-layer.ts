import { QuantError } from "../core/errors.js";
import type { QuantizedTensor, StateDict } from "../core/tensor.js";
import type { CalibratedTarget } from "../quantizers/calibration-config.js";
import type { TargetName } from "../quantizers/config-list.js";
import type { QATSchedule } from "../quantizers/qat.js";
import { minMax } from "../wasm/min-max.js";
import { type ActivationHook, activationHook } from "./activation-hook.js";
import type { LayerTargets } from "./qat-targets.js";
import { EVALUATION, type TrainingPhase, trainingPhase } from "./training-phase.js";
import type { LayerRanges } from "./training-state.js";
import { weightHook } from "./weight-hook.js";
import type { StateDictLayer } from "./weighted-layers.js";

/**
 * What a training loop calls for one layer: y = output(f(input(x), weight(), bias())), and backwards gradient, weightGradient,
 * inputGradient.
 *
 * Where a target is not quantized, or not yet, each hook returns the given array itself (weight and bias: the state dict's),
 * else a fresh one. The arrays given to the hooks must keep their values until their gradient was taken. Call input before
 * weight and bias: the bias lies on the grid of the layer's products.
 */
export interface QATLayer {
  /** The weight on the grid of its current range. Throws TypeError for a layer without a weight. */
  weight(): Float32Array;
  /** The bias: on its integer grid in evaluation and from freezeBatchNormStep on. Throws TypeError for a layer without one. */
  bias(): Float32Array;
  /** What enters the layer: observed in training, rounded. */
  input(x: Float32Array): Float32Array;
  /** What leaves the layer, behind its activation function: observed in training, rounded. */
  output(y: Float32Array): Float32Array;
  /** Straight-through gradient of the last output(): dy where the code was on the grid, else 0. */
  gradient(dy: Float32Array): Float32Array;
  /** The same of the last input(). */
  inputGradient(dx: Float32Array): Float32Array;
  /** The same of the last weight(); call it before the weights are updated. */
  weightGradient(dw: Float32Array): Float32Array;
}

/** A layer in training, with what its QATQuantizer needs beside the hooks. */
export interface TrainedLayer {
  readonly hooks: QATLayer;
  /** Integer weight by its entry, as evaluation has it. */
  quantizedWeight(): { readonly entry: string; readonly tensor: QuantizedTensor } | undefined;
  /** Targets with data; throws QuantError `not-calibrated` where neither input nor output of a quantized layer has any. */
  calibration(where: string): Partial<Record<TargetName, CalibratedTarget>>;
  ranges(): LayerRanges;
}

/** How far training is; the QATQuantizer changes it, its layers read it. */
export interface TrainingClock {
  step: number;
  training: boolean;
}

/** Makes one layer's hooks over the tensors of a state dict. */
export function trainedLayer(
  { name, weightEntries }: StateDictLayer,
  state: StateDict,
  targets: LayerTargets,
  schedule: Required<QATSchedule>,
  clock: Readonly<TrainingClock>,
  saved: LayerRanges = {},
): TrainedLayer {
  const place = (part: string): string => `QATQuantizer: "${name}".${part}`;
  const own = { ...schedule, quantStartStep: targets.quantStartStep ?? schedule.quantStartStep };
  const phase = (): TrainingPhase => (clock.training ? trainingPhase(own, clock.step) : EVALUATION);

  const input = targets.input && activationHook(place("input"), targets.input, schedule.decay, saved.input);
  const output = targets.output && activationHook(place("output"), targets.output, schedule.decay, saved.output);

  const [entry = `${name}.weight`] = weightEntries;
  const tensor = Object.hasOwn(state, entry) ? state[entry] : undefined;
  const biasEntry = `${name}.bias`;
  const bias = Object.hasOwn(state, biasEntry) ? state[biasEntry] : undefined;
  const inputParams = () => (input?.seen() ? input.params() : undefined);
  const weight = tensor && targets.weight && weightHook(place("weight"), tensor, targets.weight, bias, inputParams);

  const given = <T>(value: T | undefined, part: string, missing: string): T => {
    if (value !== undefined) return value;
    throw new TypeError(`${place(part)}: expected a tensor "${missing}" in the state dict, got none`);
  };
  const calibrated = (hook: ActivationHook | undefined, symmetric: boolean): CalibratedTarget | undefined =>
    hook?.seen() ? { params: hook.params(), symmetric, range: hook.toJSON() } : undefined;

  return {
    hooks: {
      weight: () => weight?.forward(phase()) ?? given(tensor, "weight", entry).data,
      bias: () => {
        const master = given(bias, "bias", biasEntry);
        return weight?.bias(master, phase()) ?? master.data;
      },
      input: (x) => input?.forward(x, phase()) ?? x,
      output: (y) => output?.forward(y, phase()) ?? y,
      gradient: (dy) => output?.gradient(dy) ?? dy,
      inputGradient: (dx) => input?.gradient(dx) ?? dx,
      weightGradient: (dw) => weight?.gradient(dw) ?? dw,
    },
    quantizedWeight: () => weight && { entry, tensor: weight.quantized() },
    calibration(where) {
      const activations = {
        input: calibrated(input, targets.input?.symmetric ?? false),
        output: calibrated(output, targets.output?.symmetric ?? false),
      };
      if ((input ?? output) !== undefined && (activations.input ?? activations.output) === undefined) {
        throw new QuantError(
          "not-calibrated",
          `${where}: layer "${name}" has seen no data; call its input() or output() in training`,
          { layer: name },
        );
      }
      return {
        ...(weight && targets.weight && { weight: calibratedWeight(weight.quantized(), targets.weight.symmetric) }),
        ...(activations.input && { input: activations.input }),
        ...(activations.output && { output: activations.output }),
      };
    },
    ranges: () => ({ ...(input && { input: input.toJSON() }), ...(output && { output: output.toJSON() }) }),
  };

  function calibratedWeight({ params, shape }: QuantizedTensor, symmetric: boolean): CalibratedTarget {
    const { axis } = params;
    const data = (tensor as StateDict[string]).data;
    return { params, symmetric, range: minMax(data, axis === undefined ? {} : { shape, axis }, place("weight")) };
  }
}
