import type { LayerSource } from "../types.js";

/** What DoReFaQuantizer does with a layer, or with one part of it that has weights. Bits are 1…16, or 32: untouched. */
export interface DorefaLayerSettings {
  readonly weight: number;
  readonly input: number;
  readonly output: number;
  readonly gradient: number;
  /** Number of its gradient's noise; needed where weight or gradient are touched. */
  readonly tensor?: number;
  /** Place in the config list; where two entries speak about one value, the later wins. */
  readonly index: number;
}

/** The settings of a layer, `weights` naming the part of it that is meant; undefined leaves it as it is. */
export type DorefaSettingsOf = (layer: LayerSource, weights?: string) => DorefaLayerSettings | undefined;

/** How activations are rounded, whatever their bits. */
export interface ActivationRounding {
  /** Where they are cut off: a float32 > 0. */
  readonly bound: number;
  /** Whether 1 bit means −1 or +1. */
  readonly sign: boolean;
}

/** What holds for all layers. */
export interface DorefaDefaults {
  readonly seed: number;
  readonly activation: ActivationRounding;
}
