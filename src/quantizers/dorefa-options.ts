import { QuantError } from "../core/errors.js";
import { checkBound, checkUnitBits, UNTOUCHED_BITS } from "../core/unit-grid.js";
import { type ConfigEntry, type ConfigList, parseConfigList, type TargetName } from "./config-list.js";
import { checkMatches, type LayerInfo, selectConfig } from "./select-config.js";

// What DoReFaQuantizer is told and what follows for each layer: plain data, the same for plain arrays and tfjs models.
// dorefaPlan reads options or a config list, and its layersOf says the bits of every layer of one model and the number of its
// gradient's noise.

/** What a DoReFaQuantizer is told beside a config list, which speaks of weights and activations alone. */
export interface DoReFaTrainingOptions {
  /** Bits of the gradients that arrive at quantized layers, 1…16, or 32 for untouched. Beside a config list: default 32. */
  readonly gradientBits?: number;
  /** What the gradients' noise is drawn from, an integer in [0, 2^32). Default 0. */
  readonly seed?: number;
  /** Activations are clipped to [0, activationBound], rounded to 2^bits − 1 steps of it. Default 1, the paper's. */
  readonly activationBound?: number;
  /** Activations of 1 bit are the sign, −1 or +1, as in BNN, instead of 0 or 1. Default false. */
  readonly signActivations?: boolean;
}

/** Options of DoReFaQuantizer. Bits are 1…16, or 32 for untouched. */
export interface DoReFaOptions extends DoReFaTrainingOptions {
  /** Bits of weights, activations and gradients. Default 8. */
  readonly bits?: number;
  /** The same for weights alone: wins over bits. */
  readonly weightBits?: number;
  /** The same for activations alone: wins over bits. */
  readonly activationBits?: number;
  /**
   * Bits of the weights of the first and last layers with weights, and of what enters the last. Other than 32, they have
   * gradients of gradientBits too. What enters the first stays as it is. Default 32.
   */
  readonly firstLastBits?: number;
}

/** How activations are rounded, whatever their bits. */
export interface DoReFaActivation {
  /** Upper end of the clip. */
  readonly bound: number;
  /** Whether 1 bit means −1 or +1. */
  readonly sign: boolean;
}

/** A layer as DoReFaQuantizer sees it. */
export interface DoReFaLayerInfo extends LayerInfo {
  readonly hasWeights: boolean;
  /** Whether it is among the first or the last layers with weights; false for all where their order is not known. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Bits of one layer's targets: 1…16, or 32 for untouched. */
export interface DoReFaLayer {
  readonly name: string;
  readonly weight: number;
  readonly input: number;
  readonly output: number;
  /** Of the gradient that arrives at what the layer's product gives, before both backward products. */
  readonly gradient: number;
  /** The `tensor` of its gradient's noise: its number among the layers whose gradients may be rounded, whatever the bits. */
  readonly tensor?: number;
}

/** A DoReFaQuantizer's configuration, checked. */
export interface DoReFaPlan {
  readonly seed: number;
  readonly activation: DoReFaActivation;
  /**
   * The bits of each layer, in the order given.
   *
   * With options: weights, inputs and gradients of all layers with weights, the first and the last as firstLastBits says. With
   * a config list: exactly the targets that a layer's entry names, and the gradient where that is the weight, even with 32 bits.
   * Errors: QuantError `invalid-config` for names and types that the model lacks; `invalid-model` where options leave nothing
   * to quantize.
   */
  layersOf(layers: readonly DoReFaLayerInfo[], where?: string): readonly DoReFaLayer[];
}

const TRAINING_KEYS = ["gradientBits", "seed", "activationBound", "signActivations"];
const OPTION_KEYS = ["bits", "weightBits", "activationBits", "firstLastBits", ...TRAINING_KEYS];

/**
 * Reads DoReFaQuantizer's options, or a config list and what it cannot say beside it.
 *
 * Errors: TypeError for an unknown option (the choices are named) or a value of another type, RangeError for one out of
 * range; QuantError `invalid-config` for a config list.
 */
export function dorefaPlan(
  where: string,
  config: DoReFaOptions | ConfigList,
  training: DoReFaTrainingOptions = {},
): DoReFaPlan {
  if (Array.isArray(config)) {
    checkKeys(where, training, TRAINING_KEYS);
    const entries = parseConfigList(where, "DoReFaQuantizer", config);
    const gradient = readBits(where, "gradientBits", training.gradientBits ?? UNTOUCHED_BITS);
    return {
      ...readTraining(where, training),
      layersOf(layers, place = where) {
        checkMatches(place, entries, layers);
        return numbered(layers.map((layer) => configuredLayer(layer, selectConfig(entries, layer), gradient)));
      },
    };
  }
  const options = config as DoReFaOptions;
  checkKeys(where, options, OPTION_KEYS);
  const bits = readBits(where, "bits", options.bits ?? 8);
  const weight = readBits(where, "weightBits", options.weightBits ?? bits);
  const input = readBits(where, "activationBits", options.activationBits ?? bits);
  const gradient = readBits(where, "gradientBits", options.gradientBits ?? bits);
  const ends = readBits(where, "firstLastBits", options.firstLastBits ?? UNTOUCHED_BITS);
  return {
    ...readTraining(where, options),
    layersOf(layers, place = where) {
      const weighted = layers.filter(({ hasWeights }) => hasWeights);
      if (ends === UNTOUCHED_BITS && weighted.every(({ isFirst, isLast }) => isFirst || isLast)) {
        throw nothingBetween(place, weighted);
      }
      return numbered(
        layers.map(({ name, hasWeights, isFirst, isLast }) => {
          const isEnd = isFirst || isLast;
          const isTouched = hasWeights && !(isEnd && ends === UNTOUCHED_BITS);
          if (!isTouched) return { ...UNTOUCHED, name };
          return {
            name,
            weight: isEnd ? ends : weight,
            input: isFirst ? UNTOUCHED_BITS : isLast ? ends : input,
            output: UNTOUCHED_BITS,
            gradient,
            isNumbered: true,
          };
        }),
      );
    },
  };
}

/** A layer's bits, and whether its gradient has a number. */
interface Unnumbered extends Omit<DoReFaLayer, "tensor"> {
  readonly isNumbered: boolean;
}

const UNTOUCHED = {
  weight: UNTOUCHED_BITS,
  input: UNTOUCHED_BITS,
  output: UNTOUCHED_BITS,
  gradient: UNTOUCHED_BITS,
  isNumbered: false,
};

function configuredLayer(
  { name, hasWeights }: DoReFaLayerInfo,
  entry: ConfigEntry | undefined,
  gradient: number,
): Unnumbered {
  if (entry === undefined) return { ...UNTOUCHED, name };
  const bitsOf = (target: TargetName): number => entry.targets[target]?.bits ?? UNTOUCHED_BITS;
  const isNumbered = hasWeights && entry.targets.weight !== undefined;
  return {
    name,
    weight: bitsOf("weight"),
    input: bitsOf("input"),
    output: bitsOf("output"),
    gradient: isNumbered ? gradient : UNTOUCHED_BITS,
    isNumbered,
  };
}

function numbered(layers: readonly Unnumbered[]): DoReFaLayer[] {
  let next = 0;
  return layers.map(({ isNumbered, ...layer }) => (isNumbered ? { ...layer, tensor: next++ } : layer));
}

function nothingBetween(where: string, weighted: readonly LayerInfo[]): QuantError {
  const found = weighted.length === 0 ? "none" : weighted.map(({ name }) => `"${name}"`).join(", ");
  return new QuantError(
    "invalid-model",
    `${where}: expected a layer with weights between the first and the last, which stay as they are, got ${found}; give firstLastBits or a config list`,
    { layers: weighted.map(({ name }) => name) },
  );
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

function readTraining(where: string, options: DoReFaTrainingOptions): Pick<DoReFaPlan, "seed" | "activation"> {
  const { seed = 0, activationBound = 1, signActivations = false } = options;
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new RangeError(`${where}: expected an integer seed in [0, 2^32), got ${String(seed)}`);
  }
  checkBound(where, "activationBound", activationBound);
  if (typeof signActivations !== "boolean") {
    throw new TypeError(`${where}: expected signActivations to be true or false, got ${String(signActivations)}`);
  }
  return { seed, activation: { bound: Math.fround(activationBound), sign: signActivations } };
}

function readBits(where: string, key: string, bits: number): number {
  checkUnitBits(`${where}: ${key}`, bits);
  return bits;
}
