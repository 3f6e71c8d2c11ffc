import * as tf from "@tensorflow/tfjs";
import type { ActivationQuantizer } from "../../graph/types.js";
import { dorefaActivations } from "../ops/dorefa-activations.js";
import { signActivations } from "../ops/sign-activations.js";
import { recorder } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { single } from "./edge-layer.js";

/** Configuration of a clip layer: plain data, part of a saved model. */
export interface ClipConfig extends LayerConfig {
  /** Name of the graph's value that is clipped here. */
  readonly value: string;
  readonly quantizer: ActivationQuantizer;
}

/** One value of the graph clipped to [0, bound] and rounded, or its signs, in training and evaluation alike. No weights. */
export class ClipLayer extends ConfiguredLayer<ClipConfig> {
  static readonly className = "BitpressClip";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return single(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { quantizer } = this.config;
    const [x] = [inputs].flat();
    return tf.tidy(() => {
      const y = "sign" in quantizer ? signActivations(x) : dorefaActivations(x, quantizer.bits, quantizer.bound);
      recorder()?.(this, y);
      return y;
    });
  }
}
