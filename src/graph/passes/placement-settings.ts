import type { Granularity } from "../../core/granularity.js";
import type { LayerSource } from "../types.js";

/** How a network is quantized where no config list decides. 32 bits mean untouched. */
export interface PlacementDefaults {
  readonly weightBits: number;
  readonly activationBits: number;
  /** Of the weights. */
  readonly granularity: Granularity;
  /** Of the weights of dense layers; absent: `granularity`. */
  readonly denseGranularity?: Granularity;
  /** Whether activations are symmetric; weights are, unless a config says otherwise. */
  readonly symmetric: boolean;
  /** Bits of the first and last weighted layers: their weights, the graph's inputs, what the last ones give. */
  readonly firstLastBits?: number;
}

/** How one target of a layer is quantized; what is absent is the default's. */
export interface TargetSettings {
  readonly bits: number;
  readonly signed?: boolean;
  readonly symmetric?: boolean;
  /** Weights only. */
  readonly granularity?: Granularity;
}

/** What a config list says about one layer: the entry that won. */
export interface LayerSettings {
  /** Place in the config list; where two entries speak about one edge, the later wins. */
  readonly index: number;
  readonly targets: {
    readonly weight?: TargetSettings;
    readonly input?: TargetSettings;
    readonly output?: TargetSettings;
  };
  readonly quantStartStep?: number;
  /** Channel axis of the weights, instead of their layout's; −1 is the last. */
  readonly axis?: number;
}

/** The settings of a layer; undefined leaves it as it is. */
export type SettingsOf = (layer: LayerSource) => LayerSettings | undefined;
