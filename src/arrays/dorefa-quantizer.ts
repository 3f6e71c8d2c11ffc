import { QuantError } from "../core/errors.js";
import type { QuantizedStateDict, StateDict } from "../core/tensor.js";
import { type CalibrationConfig, calibrationConfig } from "../quantizers/calibration-config.js";
import type { ConfigList } from "../quantizers/config-list.js";
import {
  type DoReFaOptions,
  type DoReFaPlan,
  type DoReFaTrainingOptions,
  dorefaPlan,
} from "../quantizers/dorefa-options.js";
import { dorefaTensorReport } from "../quantizers/dorefa-tensor-report.js";
import { isRecord, show } from "../quantizers/read-config-value.js";
import { type Report, reportOf, untouchedReport } from "../quantizers/report.js";
import { checkStateDict } from "./check-state-dict.js";
import { type DoReFaHooks, dorefaLayer } from "./dorefa-layer.js";
import { checkOneWeight, weightedLayers } from "./weighted-layers.js";

const WHERE = "DoReFaQuantizer.compress";

/** Where a training stands, as plain data; the weights are the caller's to save. */
export interface DoReFaState {
  /** Number of step() calls: what the gradients' noise is drawn from, beside the seed. */
  readonly step: number;
}

/** How compress reads a state dict. */
export interface DoReFaCompressOptions {
  /** What toJSON() gave, to go on from there. */
  readonly resume?: DoReFaState;
}

/** A state dict in DoReFa training. */
export interface DoReFaTraining {
  /** Hooks by layer; a layer is the name of its entries before the last dot. */
  readonly layers: Readonly<Record<string, DoReFaHooks>>;
  /** Ends one training step: the next has noise of its own. */
  step(): void;
  /**
   * The trained model: int8 codes of the rounded weights and, by layer, the grids of weights and activations.
   *
   * Errors: RangeError, naming the weight, for more than 8 bits; QuantError `non-finite` for NaN weights.
   */
  exportModel(): { weights: QuantizedStateDict; calibration: CalibrationConfig };
  /** Bytes and SQNR per tensor, with the weights as they are now; SQNR against what is rounded, tanh(w) / tanh(max|w|). */
  report(): Report;
  /** The counter, for `compress(…, { resume })`. */
  toJSON(): DoReFaState;
}

/**
 * DoReFa-Net on plain arrays: few bits of weights, activations and gradients, in the caller's own loop.
 *
 * Weights are rounded through tanh (1 bit: to ±mean magnitude), activations clipped to [0, 1] and rounded, and the gradient
 * that arrives at a layer's product is rounded with noise, which is right on average. The master weights stay float. With
 * options, that is done to weight, input and gradient of every layer with a weight of rank ≥ 2 between the first and the last;
 * with a config list, to what it names.
 * Source: Zhou et al. 2016; docs/dorefa.md.
 *
 * @example
 * const tensor = (...values) => ({ data: Float32Array.from(values), shape: [1, values.length] });
 * const weights = { "a.weight": tensor(1, 2), "b.weight": tensor(0.5, -1.5), "c.weight": tensor(3) };
 * const dorefa = new DoReFaQuantizer({ weightBits: 1, activationBits: 2, gradientBits: 4 }).compress(weights);
 * dorefa.layers.b.weight(); // Float32Array [1, -1]
 * dorefa.layers.b.input(Float32Array.of(-3, 0.4, 9)); // Float32Array [0, fl(1/3), 1]
 * dorefa.layers.b.gradient(Float32Array.of(-2, 2), { batch: 1 }); // Float32Array [-2, 2]
 * dorefa.layers.c.weight(); // Float32Array [3]
 */
export class DoReFaQuantizer {
  readonly #plan: DoReFaPlan;

  /** Errors: TypeError, RangeError for options, QuantError `invalid-config` for a config list, naming the choices. */
  constructor(config: DoReFaOptions | ConfigList = {}, training?: DoReFaTrainingOptions) {
    this.#plan = dorefaPlan("DoReFaQuantizer", config, training);
  }

  /**
   * Begins the training of a state dict.
   *
   * The tensors are the master weights: nothing is copied, the caller's optimizer updates their arrays in place and the hooks
   * read them at each call. A layer is the name before the last dot, its weight the tensor of rank ≥ 2; the first and the last
   * layer with one, in the order of the state dict, are the ends of the network.
   *
   * Errors: as NaiveQuantizer.compress; QuantError `unsupported` for a rounded layer with several weights, `invalid-model`
   * where options leave nothing to quantize.
   */
  compress(state: StateDict, { resume }: DoReFaCompressOptions = {}): DoReFaTraining {
    checkStateDict(WHERE, state);
    let step = resume === undefined ? 0 : stepOf(resume);
    const layers = weightedLayers(WHERE, state);
    const weighted = layers.filter(({ weightEntries }) => weightEntries.length > 0);
    const bits = this.#plan.layersOf(
      layers.map((layer) => ({
        ...layer,
        hasWeights: layer.weightEntries.length > 0,
        isFirst: layer === weighted[0],
        isLast: layer === weighted.at(-1),
      })),
      WHERE,
    );
    const trained = layers.map((layer, i) => {
      if (bits[i].tensor !== undefined) checkOneWeight(WHERE, layer);
      return [layer.name, dorefaLayer(layer, state, bits[i], this.#plan, () => step)] as const;
    });
    return {
      layers: Object.fromEntries(trained.map(([name, { hooks }]) => [name, hooks])),
      step() {
        step++;
      },
      exportModel() {
        const where = "DoReFaQuantizer.exportModel";
        const codes = trained.flatMap(([, { weight, codes }]) => {
          const tensor = codes(where);
          return weight === undefined || tensor === undefined ? [] : [[weight.entry, tensor] as const];
        });
        return {
          weights: { ...state, ...Object.fromEntries(codes) },
          calibration: calibrationConfig(new Map(trained.map(([name, layer]) => [name, layer.calibration(where)]))),
        };
      },
      report() {
        const bitsOf = new Map(trained.flatMap(([, { weight }]) => (weight ? [[weight.entry, weight.bits]] : [])));
        return reportOf(
          Object.entries(state).map(([name, tensor]) => {
            const weightBits = bitsOf.get(name);
            return weightBits === undefined
              ? untouchedReport(name, tensor)
              : dorefaTensorReport(name, tensor, weightBits);
          }),
        );
      },
      toJSON: () => ({ step }),
    };
  }
}

function stepOf(resume: DoReFaState): number {
  if (!isRecord(resume)) throw invalid("", "what toJSON() gave", resume);
  const { step } = resume;
  if (!Number.isSafeInteger(step) || step < 0) throw invalid(".step", "an integer ≥ 0", step);
  return step;
}

function invalid(part: string, expected: string, actual: unknown): QuantError {
  return new QuantError("invalid-config", `${WHERE}: resume${part}: expected ${expected}, got ${show(actual)}`, {
    part,
    actual,
  });
}
