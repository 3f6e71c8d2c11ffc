import * as tf from "@tensorflow/tfjs";
import type { BatchNormNode } from "../../graph/types.js";
import { batchNormTrain } from "../ops/batch-norm-train.js";
import { channelAffine } from "../ops/channel-affine.js";
import { clip } from "../ops/clip.js";
import { collector } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { type LayerVariable, readCounter, writeCounter } from "./counter.js";
import { single } from "./edge-layer.js";
import { updateMoments } from "./moving-moments.js";
import { constraintOf, regularizerOf } from "./stock-parts.js";

/** Configuration of a batch-norm layer: plain data, part of a saved model. */
export interface BatchNormConfig extends LayerConfig {
  readonly node: BatchNormNode;
  readonly freezeBatchNormStep: number;
}

/** Batch normalization that no weighted layer could take in, with its fused activation. Frozen ones use moving moments. */
export class BatchNormLayer extends ConfiguredLayer<BatchNormConfig> {
  static readonly className = "BitpressBatchNorm";
  #gamma: LayerVariable | undefined;
  #beta: LayerVariable | undefined;
  #mean!: LayerVariable;
  #variance!: LayerVariable;
  #step!: LayerVariable;

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { node } = this.config;
    const channels = [single(inputShape).at(-1) as number];
    const { zeros, ones } = tf.initializers;
    const trained = (name: string, initializer: ReturnType<typeof zeros>) => {
      const { config } = node.layer;
      const regularizer = regularizerOf(config, name);
      return this.addWeight(
        name,
        channels,
        "float32",
        initializer,
        regularizer,
        node.trainable,
        constraintOf(config, name),
      );
    };
    if (node.gamma !== undefined) this.#gamma = trained("gamma", ones());
    if (node.beta !== undefined) this.#beta = trained("beta", zeros());
    this.#mean = this.addWeight("moving_mean", channels, "float32", zeros(), undefined, false);
    this.#variance = this.addWeight("moving_variance", channels, "float32", ones(), undefined, false);
    this.#step = this.addWeight("step", [], "float32", zeros(), undefined, false);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return single(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat();
      const { activation } = this.config.node;
      const y = this.#normalized(x, training && collector() === undefined);
      return activation === "linear" ? y : clip(y, activation);
    });
  }

  #normalized(x: tf.Tensor, training: boolean): tf.Tensor {
    const { node, freezeBatchNormStep } = this.config;
    const channels = this.#mean.shape as [number];
    const gamma = (this.#gamma?.read() ?? tf.ones(channels)) as tf.Tensor1D;
    const beta = (this.#beta?.read() ?? tf.zeros(channels)) as tf.Tensor1D;
    const step = readCounter(this.#step);
    if (training) writeCounter(this.#step, step + 1);
    if (training && node.trainable && step < freezeBatchNormStep) {
      const [y, mean, variance] = batchNormTrain(x, gamma, beta, node.epsilon);
      updateMoments(this.#mean, mean, node.momentum);
      updateMoments(this.#variance, variance, node.momentum);
      return y;
    }
    const k = tf.div<tf.Tensor1D>(gamma, tf.sqrt(tf.add(this.#variance.read(), node.epsilon)));
    return channelAffine(x, k, tf.sub<tf.Tensor1D>(beta, tf.mul(this.#mean.read(), k)));
  }
}
