import type { Granularity } from "../core/granularity.js";
import type { PlacementDefaults, SettingsOf } from "../graph/passes/placement-settings.js";
import { type ConfigEntry, type ConfigList, parseConfigList } from "./config-list.js";
import { checkMatches, type LayerInfo, selectConfig } from "./select-config.js";

/** When quantization and freezing begin, in training steps (batches), and how fast ranges follow. */
export interface QATSchedule {
  /** Steps that only track ranges: nothing is rounded, gradients pass in full. Default 0. */
  readonly quantStartStep?: number;
  /** Weight of the past in the moving average of each activation's range, in [0, 1). Default 0.99. */
  readonly decay?: number;
  /** Step from which the ranges of activations stay as they are. Default: never. */
  readonly freezeObserversStep?: number;
  /** Step from which batch normalization uses its moving statistics and biases lie on their grid. Default: never. */
  readonly freezeBatchNormStep?: number;
}

/** Options of QATQuantizer. */
export interface QATOptions extends QATSchedule {
  /** Bits of weights and activations, 2…16. Default 8. */
  readonly bits?: number;
  /** The same for weights alone: wins over bits. */
  readonly weightBits?: number;
  /** The same for activations alone: wins over bits. */
  readonly activationBits?: number;
  /** Scales of the weights: one per output channel or one per tensor. Default perChannel. */
  readonly granularity?: Granularity;
  /** The same for dense layers; old runtimes want perTensor. Default: granularity. */
  readonly denseGranularity?: Granularity;
  /** Activations with zero point 0 instead of a fitted one. Weights always are. Default false. */
  readonly symmetric?: boolean;
  /** Bits of the first and last layers with weights, of what comes in and what goes out; wins over the bits above. */
  readonly firstLastBits?: number;
}

/** A QATQuantizer's configuration, checked. */
export interface QATPlan {
  readonly schedule: Required<QATSchedule>;
  readonly defaults: PlacementDefaults;
  /**
   * What a config list says about the layers of one model; undefined where options decide.
   *
   * Errors: QuantError `invalid-config` for names and types that the model lacks.
   */
  settingsFor(layers: readonly LayerInfo[], where?: string): SettingsOf | undefined;
}

const SCHEDULE_KEYS = ["quantStartStep", "decay", "freezeObserversStep", "freezeBatchNormStep"];
const OPTION_KEYS = [
  "bits",
  "weightBits",
  "activationBits",
  "granularity",
  "denseGranularity",
  "symmetric",
  "firstLastBits",
  ...SCHEDULE_KEYS,
];

/**
 * Reads QATQuantizer's options, or a config list and the schedule beside it.
 *
 * Errors: TypeError for an unknown option (the choices are named) or a value of another type, RangeError for one out of
 * range; QuantError `invalid-config` for a config list.
 */
export function qatPlan(where: string, config: QATOptions | ConfigList, schedule: QATSchedule = {}): QATPlan {
  if (Array.isArray(config)) {
    checkKeys(where, schedule, SCHEDULE_KEYS);
    const entries = parseConfigList(where, "QATQuantizer", config);
    return {
      schedule: readSchedule(where, schedule),
      defaults: readDefaults(where, {}),
      settingsFor(layers, place = where) {
        checkMatches(place, entries, layers);
        return ({ name, className }) => settingsOf(entries, { name, type: className });
      },
    };
  }
  const options = config as QATOptions;
  checkKeys(where, options, OPTION_KEYS);
  return {
    schedule: readSchedule(where, options),
    defaults: readDefaults(where, options),
    settingsFor: () => undefined,
  };
}

/** The schedule of a model in which nothing is observed, rounded to a range, or frozen. */
export function idleSchedule(): Required<QATSchedule> {
  return readSchedule("idleSchedule", {});
}

function settingsOf(entries: readonly ConfigEntry[], layer: LayerInfo): ReturnType<SettingsOf> {
  const entry = selectConfig(entries, layer);
  if (entry === undefined) return undefined;
  const { index, targets, quantStartStep, axis } = entry;
  return {
    index,
    targets,
    ...(quantStartStep !== undefined && { quantStartStep }),
    ...(axis !== undefined && { axis }),
  };
}

function checkKeys(where: string, options: object, keys: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${where}: expected options or a config list, got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${where}: expected options among ${keys.join(", ")}, got "${unknown}"`);
  }
}

function readSchedule(where: string, schedule: QATSchedule): Required<QATSchedule> {
  const { decay = 0.99 } = schedule;
  if (!(typeof decay === "number" && decay >= 0 && decay < 1)) {
    throw new RangeError(`${where}: expected decay in [0, 1), got ${String(decay)}`);
  }
  return {
    quantStartStep: readStep(where, "quantStartStep", schedule.quantStartStep ?? 0),
    decay,
    freezeObserversStep: readStep(where, "freezeObserversStep", schedule.freezeObserversStep ?? NEVER),
    freezeBatchNormStep: readStep(where, "freezeBatchNormStep", schedule.freezeBatchNormStep ?? NEVER),
  };
}

/** A step that no training reaches, which JSON can hold. */
export const NEVER = Number.MAX_SAFE_INTEGER;

function readStep(where: string, key: string, step: number): number {
  if (Number.isSafeInteger(step) && step >= 0) return step;
  throw new RangeError(`${where}: expected ${key} to be an integer ≥ 0, got ${String(step)}`);
}

function readDefaults(where: string, options: QATOptions): PlacementDefaults {
  const { bits = 8, granularity = "perChannel", denseGranularity, symmetric = false, firstLastBits } = options;
  if (typeof symmetric !== "boolean") {
    throw new TypeError(`${where}: expected symmetric to be true or false, got ${String(symmetric)}`);
  }
  return {
    weightBits: readBits(where, options.weightBits === undefined ? "bits" : "weightBits", options.weightBits ?? bits),
    activationBits: readBits(
      where,
      options.activationBits === undefined ? "bits" : "activationBits",
      options.activationBits ?? bits,
    ),
    granularity: readGranularity(where, "granularity", granularity),
    symmetric,
    ...(denseGranularity !== undefined && {
      denseGranularity: readGranularity(where, "denseGranularity", denseGranularity),
    }),
    ...(firstLastBits !== undefined && { firstLastBits: readBits(where, "firstLastBits", firstLastBits) }),
  };
}

function readBits(where: string, key: string, bits: number): number {
  if (Number.isInteger(bits) && bits >= 2 && bits <= 16) return bits;
  throw new RangeError(`${where}: expected ${key} in 2…16, got ${String(bits)}`);
}

function readGranularity(where: string, key: string, granularity: Granularity): Granularity {
  if (granularity === "perChannel" || granularity === "perTensor") return granularity;
  throw new RangeError(`${where}: expected ${key} perChannel or perTensor, got ${JSON.stringify(granularity)}`);
}
