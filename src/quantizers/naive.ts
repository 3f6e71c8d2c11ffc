import type { Granularity } from "../core/granularity.js";

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
  /** Overrides the layer type's own axis of output channels. */
  readonly axis?: number;
}

const KEYS = ["bits", "weightBits", "granularity"];

/**
 * Checks NaiveQuantizer's options.
 *
 * Errors: TypeError for anything but an object and for an unknown key (the choices are named), RangeError for bits outside 2…8 or another granularity.
 */
export function naiveGrid(options: NaiveOptions): NaiveGrid {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`NaiveQuantizer: expected options { ${KEYS.join(", ")} }, got ${String(options)}`);
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
