import type { QATSchedule } from "../quantizers/qat.js";

/** What a layer does at one moment. */
export interface TrainingPhase {
  /** Whether ranges of activations follow the data. */
  readonly observes: boolean;
  /** Whether weights and activations are rounded to their grids; if not, values and gradients pass untouched. */
  readonly quantizes: boolean;
  /** Whether biases lie on the grid of their layer's products. */
  readonly biasOnGrid: boolean;
}

/** The phase of evaluation: nothing is observed, all is on its grid. */
export const EVALUATION: TrainingPhase = { observes: false, quantizes: true, biasOnGrid: true };

/** The phase of a layer in training after `step` steps; its own quantStartStep is in the schedule. */
export function trainingPhase(schedule: Required<QATSchedule>, step: number): TrainingPhase {
  const quantizes = step >= schedule.quantStartStep;
  return {
    observes: step < schedule.freezeObserversStep,
    quantizes,
    biasOnGrid: quantizes && step >= schedule.freezeBatchNormStep,
  };
}
