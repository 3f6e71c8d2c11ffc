import type { WeightLayout } from "../core/granularity.js";
import type { QuantizedStateDict, StateDict } from "../core/tensor.js";
import { type CalibrationConfig, calibrationConfig } from "../quantizers/calibration-config.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { type QATOptions, type QATPlan, type QATSchedule, qatPlan } from "../quantizers/qat.js";
import { quantizedReport, type Report, reportOf, untouchedReport } from "../quantizers/report.js";
import { checkWeightLayout } from "../quantizers/weight-rule.js";
import { checkStateDict } from "./check-state-dict.js";
import { type QATLayer, type TrainingClock, trainedLayer } from "./qat-layer.js";
import { type LayerTargets, qatTargets } from "./qat-targets.js";
import { checkTrainingState, type QATState } from "./training-state.js";
import { checkOneWeight, weightedLayers } from "./weighted-layers.js";

const WHERE = "QATQuantizer.compress";

/** How compress reads a state dict. */
export interface QATCompressOptions {
  /** Whose layout the weights are in. Default pytorch. */
  readonly layout?: WeightLayout;
  /** What toJSON() gave, to go on from there. */
  readonly resume?: QATState;
}

/** A state dict in quantization-aware training. */
export interface QATTraining {
  /** Hooks by layer; a layer is the name of its entries before the last dot. */
  readonly layers: Readonly<Record<string, QATLayer>>;
  /** false while the model is evaluated: nothing is observed, everything is on its grid, whatever the schedule. */
  training: boolean;
  /** Ends one training step: moves the schedule on. */
  step(): void;
  /**
   * The trained model in integers: the weights as evaluation has them, in NaiveQuantizer's form, and the ranges.
   *
   * Of the targets of a layer, those whose hook saw no data are left out of the calibration.
   * Errors: QuantError `not-calibrated` for a layer none of whose activations saw data, `non-finite` for NaN weights.
   */
  exportModel(): { weights: QuantizedStateDict; calibration: CalibrationConfig };
  /** Bytes and SQNR per tensor, with the weights as they are now and as evaluation rounds them. */
  report(): Report;
  /** Counter and ranges, for `compress(…, { resume })`. */
  toJSON(): QATState;
}

/**
 * Quantization-aware training on plain arrays: the caller's own loop trains, and calls a hook where a value is rounded.
 *
 * Each step rounds weights to the grid of their current range and activations to that of a moving average of their batches'
 * ranges; gradients pass straight through. The master weights stay float. With options, weight, input and output of every
 * layer with a weight of rank ≥ 2 are quantized; with a config list, what it names.
 * Source: Jacob et al. 2018, §3; docs/plain-arrays.md.
 *
 * @example
 * const weights = { "fc.weight": { data: Float32Array.of(0.3, -1.984375), shape: [1, 2] } };
 * const qat = new QATQuantizer({ bits: 8 }).compress(weights);
 * const { fc } = qat.layers;
 * fc.input(Float32Array.of(-1, 0.7, 2.984375)); // Float32Array [-1, 0.703125, 2.984375]
 * fc.weight(); // Float32Array [0.296875, -1.984375]
 * fc.weightGradient(Float32Array.of(1, 2)); // Float32Array [1, 2]
 * qat.step();
 * qat.toJSON().step; // 1
 */
export class QATQuantizer {
  readonly #plan: QATPlan;

  /** Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices. */
  constructor(config: QATOptions | ConfigList = {}, schedule?: QATSchedule) {
    this.#plan = qatPlan("QATQuantizer", config, schedule);
  }

  /**
   * Begins the training of a state dict.
   *
   * The tensors are the master weights: nothing is copied, the caller's optimizer updates their arrays in place and the hooks
   * read them at each call. A layer is the name before the last dot, its weight the tensor of rank ≥ 2, its bias the entry
   * `bias`; axes of output channels are NaiveQuantizer's.
   *
   * Errors: as NaiveQuantizer.compress; QuantError `unsupported` for a quantized layer with several weights.
   */
  compress(state: StateDict, options: QATCompressOptions = {}): QATTraining {
    const { layout = "pytorch", resume } = options;
    checkWeightLayout(WHERE, layout);
    checkStateDict(WHERE, state);
    const { schedule } = this.#plan;
    const layers = weightedLayers(WHERE, state);
    const targets = qatTargets(WHERE, this.#plan, layers, state, layout);
    for (const layer of layers) {
      if (targets.get(layer.name)?.weight !== undefined) checkOneWeight(WHERE, layer);
    }
    if (resume !== undefined) checkTrainingState(WHERE, resume, targets);

    const clock: TrainingClock = { step: resume?.step ?? 0, training: true };
    const trained = new Map(
      layers.map((layer) => {
        const { name } = layer;
        const ranges = resume?.ranges[name];
        return [name, trainedLayer(layer, state, targets.get(name) as LayerTargets, schedule, clock, ranges)] as const;
      }),
    );
    return {
      layers: Object.fromEntries([...trained].map(([name, { hooks }]) => [name, hooks])),
      get training() {
        return clock.training;
      },
      set training(training) {
        clock.training = training;
      },
      step() {
        clock.step++;
      },
      exportModel() {
        const where = "QATQuantizer.exportModel";
        const calibration = new Map([...trained].map(([name, layer]) => [name, layer.calibration(where)]));
        const integers = [...trained.values()].flatMap((layer) => layer.quantizedWeight() ?? []);
        return {
          weights: { ...state, ...Object.fromEntries(integers.map(({ entry, tensor }) => [entry, tensor])) },
          calibration: calibrationConfig(calibration),
        };
      },
      report() {
        const quantized = new Map(
          [...trained.values()].flatMap((layer) => {
            const weight = layer.quantizedWeight();
            return weight === undefined ? [] : [[weight.entry, weight.tensor] as const];
          }),
        );
        return reportOf(
          Object.entries(state).map(([name, tensor]) => {
            const codes = quantized.get(name);
            if (codes === undefined) return untouchedReport(name, tensor);
            // Codes of a depthwise kernel have the shape in which their axis counts.
            const row = quantizedReport(name, { data: tensor.data, shape: codes.shape }, codes);
            return { ...row, shape: tensor.shape };
          }),
        );
      },
      toJSON: () => ({
        step: clock.step,
        ranges: Object.fromEntries(
          [...trained]
            .map(([name, layer]) => [name, layer.ranges()] as const)
            .filter(([, ranges]) => Object.keys(ranges).length > 0),
        ),
      }),
    };
  }
}
