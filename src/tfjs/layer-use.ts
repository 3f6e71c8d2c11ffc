import type * as tf from "@tensorflow/tfjs";
import type { GraphBuilder } from "../graph/build.js";
import type { LayerSource, Pair, ValueShape } from "../graph/types.js";

/** One use of a layer, about to become nodes of a graph. */
export interface LayerUse {
  readonly layer: tf.layers.Layer;
  readonly source: LayerSource;
  /** Name of the use, unique in the graph: of its node, and of the value it gives. */
  readonly name: string;
  /** Names of the values it reads. */
  readonly inputs: readonly string[];
  /** Shapes of what it gives, as tfjs computed them. */
  readonly outputShapes: readonly ValueShape[];
  /** Whether neither the layer nor a model around it is frozen. */
  readonly trainable: boolean;
  readonly builder: GraphBuilder;
  /** The layer's weights by their own names in tfjs ("kernel", "moving_mean"), in the layer's order. */
  readonly weights: ReadonlyMap<string, LayerWeight>;
}

export interface LayerWeight {
  /** Name in the graph. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The value that a use became; or why its layer is not one that the graph's ops express. */
export type Imported = { readonly value: string } | { readonly reason: string };

/** What the getConfig() of convolutions, pools and paddings has in common. */
export interface MapConfig {
  readonly dataFormat?: "channelsFirst" | "channelsLast";
  readonly padding: string;
  readonly strides: readonly number[];
}

/** The reason why a map cannot be imported: channels come first, or padding is causal. */
export function unsupportedMap({ dataFormat, padding }: MapConfig): { readonly reason: string } | undefined {
  if (dataFormat === "channelsFirst") return { reason: "data format channelsFirst" };
  if (padding !== "same" && padding !== "valid") return { reason: `padding ${padding}` };
  return undefined;
}

/** A size along the one axis of a sequence as a pair of a map of height 1. */
export function alongWidth([size]: readonly number[]): Pair {
  return [1, size];
}
