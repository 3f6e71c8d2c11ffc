import type { LayerStep } from "./layer-step.js";
import type { TensorLayout } from "./tensor-layout.js";

/** A tensor of a node: its name in the plan, its shape and how it lies. */
export interface Operand {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layout: TensorLayout;
}

/** A node without weights, as kernels' calls once it is known where its tensors have their borders. */
export interface OpPlan {
  /** Whether its inputs must have no border. */
  readonly dense: boolean;
  steps(inputs: readonly Operand[], output: Operand): LayerStep[];
}
