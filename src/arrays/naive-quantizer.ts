import { QuantError } from "../core/errors.js";
import type { WeightLayout } from "../core/granularity.js";
import type { QuantizedStateDict, QuantizedTensor, StateDict, Tensor } from "../core/tensor.js";
import type { ConfigList } from "../quantizers/config-list.js";
import { type NaiveGrid, type NaiveOptions, type NaivePlanner, naivePlanner } from "../quantizers/naive.js";
import { quantizeWeight } from "../quantizers/quantize-weight.js";
import { quantizedReport, type Report, reportOf, type TensorReport, untouchedReport } from "../quantizers/report.js";
import type { LayerInfo } from "../quantizers/select-config.js";
import { layerOfEntry, stateDictLayers } from "../quantizers/state-dict-layers.js";
import { checkWeightLayout, weightGrid } from "../quantizers/weight-rule.js";
import { checkStateDict } from "./check-state-dict.js";

const WHERE = "NaiveQuantizer.compress";

/**
 * Quantizes the weights of a state dict: no data, no training.
 *
 * Every tensor of rank ≥ 2 goes to the signed, symmetric, narrow grid ([−127, 127] for 8 bits), one scale per output channel
 * by default; tensors of a lower rank (biases, norms) stay as they are. Rounding: to nearest, ties to even.
 * Source: NNI's NaiveQuantizer, with the rounding of Jacob et al. 2018 (docs/numerics.md).
 *
 * @example
 * const quantizer = new NaiveQuantizer({ bits: 8 });
 * const small = quantizer.compress({ "fc.weight": { data: Float32Array.of(1, -2, 3, 4), shape: [2, 2] } });
 * small["fc.weight"].data; // Int8Array [64, -127, 95, 127]
 * isQuantized(small["fc.weight"]); // true
 */
export class NaiveQuantizer {
  readonly #planner: NaivePlanner;
  #report: Report | undefined;

  /** Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices. */
  constructor(config: NaiveOptions | ConfigList = {}) {
    this.#planner = naivePlanner("NaiveQuantizer", config);
  }

  /**
   * A new state dict: codes with their parameters where a weight was quantized, the given tensor elsewhere.
   *
   * A layer is the name before the last dot. The axis of output channels is 0 in PyTorch's layout (1 for an entry whose
   * `type` is a transposed convolution); in tfjs's it is the last, and a depthwise kernel comes back with the shape
   * [kh, kw, 1, in·mult] in which its axis counts.
   *
   * Errors: TypeError, RangeError for data or shapes that do not fit; QuantError `invalid-model` for a state dict without
   * tensors, `non-finite` naming tensor and index, `invalid-config` for names and types the state dict lacks.
   */
  compress(state: StateDict, options: { layout?: WeightLayout } = {}): QuantizedStateDict {
    const { layout = "pytorch" } = options;
    checkWeightLayout(WHERE, layout);
    checkStateDict(WHERE, state);
    const layers = new Map(stateDictLayers(WHERE, state).map((layer) => [layer.name, layer]));
    const plan = this.#planner([...layers.values()], WHERE);
    const result: Record<string, Tensor | QuantizedTensor> = {};
    const rows: TensorReport[] = [];
    for (const [name, tensor] of Object.entries(state)) {
      const grid = plan(layers.get(layerOfEntry(name)) as LayerInfo);
      const quantized = grid === undefined ? undefined : quantizeEntry(name, tensor, grid, layout);
      result[name] = quantized ?? tensor;
      rows.push(quantized === undefined ? untouchedReport(name, tensor) : quantizedReport(name, tensor, quantized));
    }
    this.#report = reportOf(rows);
    return result;
  }

  /** What the last compress did: bytes and SQNR per tensor and in all. Throws before the first. */
  report(): Report {
    if (this.#report === undefined) {
      throw new QuantError(
        "invalid-model",
        "NaiveQuantizer.report: expected a compressed model, got none; call compress first",
      );
    }
    return this.#report;
  }
}

function quantizeEntry(
  name: string,
  { data, shape, type }: StateDict[string],
  grid: NaiveGrid,
  layout: WeightLayout,
): QuantizedTensor | undefined {
  const where = `${WHERE}: "${name}"`;
  const weight = weightGrid(name, shape, type, { ...grid, layout });
  return weight && quantizeWeight(where, { data, shape: weight.viewShape ?? shape }, weight);
}
