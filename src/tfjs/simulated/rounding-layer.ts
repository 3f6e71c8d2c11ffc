import * as tf from "@tensorflow/tfjs";
import { gridOf } from "../../core/grid.js";
import type { FixedQuantizer, OwnQuantizer } from "../../graph/types.js";
import { fakeQuantize } from "../ops/fake-quantize.js";
import { optionsOf, single } from "./edge-layer.js";

/** Configuration of a rounding layer. */
export interface RoundingConfig {
  readonly name: string;
  /** The quantizer whose parameters come in. */
  readonly quantizer: OwnQuantizer | FixedQuantizer;
}

/** Rounds averages to the parameters of what they are averages of: inputs the values and [2, 1] parameters. */
export class RoundingLayer extends tf.layers.Layer {
  static readonly className = "BitpressRounding";
  readonly config: RoundingConfig;

  constructor(config: RoundingConfig) {
    super({ name: config.name });
    this.config = config;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return single(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, params] = inputs as [tf.Tensor, tf.Tensor2D];
    return fakeQuantize(x, params, gridOf(this.name, optionsOf(this.config.quantizer)));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.config as unknown as tf.serialization.ConfigDict) };
  }
}
