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

/** Makes the plan for the layers of one model; `where` begins the message of its errors (default: the planner's own). */
export type NaivePlanner = (layers: readonly LayerInfo[], where?: string) => NaivePlan;

const KEYS = ["bits", "weightBits", "granularity"];

/**
 * Reads NaiveQuantizer's options or config list.
 *
 * Errors: TypeError for an unknown option (the choices are named), RangeError for bits outside 2…8 or another granularity;
 * QuantError `invalid-config` for a config list, here for what it says and in the planner for what the model lacks.
 */
export function naivePlanner(where: string, config: NaiveOptions | ConfigList): NaivePlanner {
  if (!Array.isArray(config)) {
    const grid = naiveGrid(where, config as NaiveOptions);
    return () => () => grid;
  }
  const entries = parseConfigList(where, "NaiveQuantizer", config);
  return (layers, place = where) => {
    checkMatches(place, entries, layers);
    return (layer) => {
      const entry = selectConfig(entries, layer);
      const weight = entry?.targets.weight;
      if (entry === undefined || weight === undefined) return undefined;
      const { bits, granularity = "perChannel" } = weight;
      return { bits, granularity, ...(entry.axis !== undefined && { axis: entry.axis }) };
    };
  };
}

function naiveGrid(where: string, options: NaiveOptions): NaiveGrid {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${where}: expected options or a config list, got ${String(options)}`);
  }
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`${where}: expected options among ${KEYS.join(", ")}, got "${unknown}"`);
  }
  const { granularity = "perChannel" } = options;
  const bits = options.weightBits ?? options.bits ?? 8;
  if (!Number.isInteger(bits) || bits < 2 || bits > 8) {
    throw new RangeError(`${where}: expected bits in 2…8, got ${String(bits)}`);
  }
  if (granularity !== "perChannel" && granularity !== "perTensor") {
    throw new RangeError(`${where}: expected granularity perChannel or perTensor, got ${JSON.stringify(granularity)}`);
  }
  return { bits, granularity };
}
