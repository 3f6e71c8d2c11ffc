import type { Granularity } from "../core/granularity.js";
import { type ConfigList, parseConfigList } from "./config-list.js";
import { checkMatches, type LayerInfo, selectConfig } from "./select-config.js";

/** Options of NaiveQuantizer: weights alone, no data needed. */
export interface NaiveOptions {
  /** Bits of each weight, 2…8. Default 8. */
  readonly bits?: number;
  /** The same, more specific: wins over bits. */
  readonly weightBits?: number;
  /** One scale per output channel or one per tensor. Default perChannel. */
  readonly granularity?: Granularity;
}

/** How the weights of one layer are quantized. */
export interface NaiveGrid {
  readonly bits: number;
  readonly granularity: Granularity;
  /** Overrides the layer's own axis of output channels; −1 is the last. */
  readonly axis?: number;
}

/** The grid of a layer's weights; undefined leaves them as they are. */
export type NaivePlan = (layer: LayerInfo) => NaiveGrid | undefined;

const KEYS = ["bits", "weightBits", "granularity"];

/**
 * Reads NaiveQuantizer's options or config list; the result makes a plan for the layers of one model.
 *
 * Errors: TypeError for an unknown option (the choices are named), RangeError for bits outside 2…8 or another granularity;
 * QuantError `invalid-config` for a config list, here for what it says and in the plan for what the model lacks.
 */
export function naivePlanner(
  config: NaiveOptions | ConfigList,
): (where: string, layers: readonly LayerInfo[]) => NaivePlan {
  if (!Array.isArray(config)) {
    const grid = naiveGrid(config as NaiveOptions);
    return () => () => grid;
  }
  const entries = parseConfigList("NaiveQuantizer", "NaiveQuantizer", config);
  return (where, layers) => {
    checkMatches(where, entries, layers);
    return (layer) => {
      const entry = selectConfig(entries, layer);
      const weight = entry?.targets.weight;
      if (entry === undefined || weight === undefined) return undefined;
      const { bits, granularity = "perChannel" } = weight;
      return { bits, granularity, ...(entry.axis !== undefined && { axis: entry.axis }) };
    };
  };
}

function naiveGrid(options: NaiveOptions): NaiveGrid {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`NaiveQuantizer: expected options or a config list, got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`NaiveQuantizer: expected options among ${KEYS.join(", ")}, got "${unknown}"`);
  }
  const { granularity = "perChannel" } = options;
  const bits = options.weightBits ?? options.bits ?? 8;
  if (!Number.isInteger(bits) || bits < 2 || bits > 8) {
    throw new RangeError(`NaiveQuantizer: expected bits in 2…8, got ${String(bits)}`);
  }
  if (granularity !== "perChannel" && granularity !== "perTensor") {
    throw new RangeError(
      `NaiveQuantizer: expected granularity perChannel or perTensor, got ${JSON.stringify(granularity)}`,
    );
  }
  return { bits, granularity };
}
