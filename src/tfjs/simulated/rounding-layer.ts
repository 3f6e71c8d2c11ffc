import * as tf from "@tensorflow/tfjs";
import { gridOf } from "../../core/grid.js";
import type { FixedQuantizer, OwnQuantizer } from "../../graph/types.js";
import { fakeQuantize } from "../ops/fake-quantize.js";
import { recorder } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { optionsOf, single } from "./edge-layer.js";

/** Configuration of a rounding layer. */
export interface RoundingConfig extends LayerConfig {
  /** Name of the graph's value that is rounded here. */
  readonly value: string;
  /** The quantizer whose parameters come in. */
  readonly quantizer: OwnQuantizer | FixedQuantizer;
  /** Of at most how many parts of equal weight each average is: its codes are whole multiples of 1/parts. */
  readonly parts: number;
  /** Where integers round a code in the middle between two: away from code 0, or up. */
  readonly ties: "away" | "up";
}

/**
 * Rounds averages to the parameters of what they are averages of, as integers do: inputs the values and [2, 1] parameters.
 *
 * Ties are frequent here (every eighth average of four codes would be rounded to the wrong side), and sums of floats come to lie on
 * either side of them. So values are first moved by a quarter of a part to the side where integers round: too little to reach
 * another tie, and more than the sums' error as long as there are fewer than some thousand parts.
 * Source: docs/numerics.md, "Ties of averages".
 */
export class RoundingLayer extends ConfiguredLayer<RoundingConfig> {
  static readonly className = "BitpressRounding";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return single(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { quantizer, parts, ties } = this.config;
    return tf.tidy(() => {
      const [x, params] = inputs as [tf.Tensor, tf.Tensor2D];
      const [scale, zeroPoint] = tf.unstack(params);
      const step = tf.mul(scale, 1 / (4 * parts));
      const grid = gridOf(this.name, optionsOf(quantizer));
      // Integers round codes of up to 8 bits where they lie in int8: at its top.
      const moved = quantizer.bits > 8 ? 0 : 127 - grid.qmax;
      // The sign of the code, zero point included; scale 0 moves nothing.
      const code = tf.add(x, tf.mul(scale, tf.add(zeroPoint, moved)));
      const toward = ties === "up" ? step : tf.mul(tf.sign(code), step);
      const rounded = fakeQuantize(tf.add(x, toward), params, grid);
      recorder()?.(this, rounded);
      return rounded;
    });
  }
}
