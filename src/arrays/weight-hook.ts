import { QuantError } from "../core/errors.js";
import type { QuantParams } from "../core/quant-params.js";
import type { QuantizedTensor, Tensor } from "../core/tensor.js";
import { type GridBias, trainingWeightParams } from "../graph/training-weights.js";
import { biasOnGrid } from "../reference/bias-on-grid.js";
import { fakeQuantize } from "../wasm/fake-quantize.js";
import { fakeQuantizeGradient } from "../wasm/fake-quantize-gradient.js";
import { quantize } from "../wasm/quantize.js";
import type { StateDictTrainingGrid } from "./qat-targets.js";
import { EVALUATION, type TrainingPhase } from "./training-phase.js";

/** The weight and the bias of one layer in training; both are the caller's tensors, read anew at each call. */
export interface WeightHook {
  /** The weight on the grid of its current range; the master weight itself where nothing is rounded. */
  forward(phase: TrainingPhase): Float32Array;
  /** The straight-through gradient of the last forward; dw itself where that rounded nothing. */
  gradient(dw: Float32Array): Float32Array;
  /** The bias on the grid of the layer's products; the master bias itself where it is on none. */
  bias(bias: Tensor, phase: TrainingPhase): Float32Array;
  /** Codes as evaluation has them. */
  quantized(): QuantizedTensor;
}

/**
 * Makes the hook of one weight; `where` begins the message of its errors.
 *
 * A bias has a grid where the layer's input has one (`inputParams` gives it, once data was seen), and where there is one
 * scale per element of the bias, or one in all.
 */
export function weightHook(
  where: string,
  tensor: Tensor,
  grid: StateDictTrainingGrid,
  bias: Tensor | undefined,
  inputParams: () => QuantParams | undefined,
): WeightHook {
  const shape = grid.viewShape ?? tensor.shape;
  const hasGrid = grid.granularity === "perTensor" || bias?.data.length === shape[grid.axis];
  let last: QuantParams | "untouched" | undefined;

  const gridBias = ({ biasOnGrid }: TrainingPhase): GridBias | undefined => {
    const input = biasOnGrid && hasGrid ? inputParams() : undefined;
    return bias && input && { bias: bias.data, inputScale: input.scale as number };
  };
  const paramsIn = (phase: TrainingPhase): QuantParams =>
    trainingWeightParams(where, { data: tensor.data, shape }, grid, gridBias(phase));

  return {
    forward(phase) {
      last = phase.quantizes ? paramsIn(phase) : "untouched";
      return last === "untouched" ? tensor.data : fakeQuantize(tensor.data, last, { shape });
    },
    gradient(dw) {
      if (last === undefined) {
        throw new QuantError("not-calibrated", `${where}: expected a call for values before their gradient, got none`);
      }
      return last === "untouched" ? dw : fakeQuantizeGradient(dw, tensor.data, last, { shape });
    },
    bias({ data }, phase) {
      const onGrid = gridBias(phase);
      if (onGrid === undefined) return data;
      const { scale } = paramsIn(phase);
      const out = new Float32Array(data.length);
      biasOnGrid(data, onGrid.inputScale, typeof scale === "number" ? Float32Array.of(scale) : scale, out);
      return out;
    },
    quantized() {
      const params = paramsIn(EVALUATION);
      return { data: quantize(tensor.data, params, { shape }), shape, params };
    },
  };
}
