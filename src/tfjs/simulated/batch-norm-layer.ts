import * as tf from "@tensorflow/tfjs";
import { gridOf } from "../../core/grid.js";
import { BATCH_NORM_GRID, trainingGridOptions } from "../../graph/training-weights.js";
import type { BatchNormNode } from "../../graph/types.js";
import { batchNormTrain } from "../ops/batch-norm-train.js";
import { biasOnGrid } from "../ops/bias-on-grid.js";
import { channelAffine } from "../ops/channel-affine.js";
import { clip } from "../ops/clip.js";
import { fakeQuantize } from "../ops/fake-quantize.js";
import { weightParams } from "../ops/weight-params.js";
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

/**
 * Batch normalization that no weighted layer could take in, with its fused activation. Frozen ones use moving moments.
 *
 * Inputs: the values, and the parameters [2, 1] of their grid where they have one. With moving moments the shift then lies on the
 * int32 grid on which integers add it: they compute the layer as a depthwise 1 × 1 convolution (BATCH_NORM_GRID).
 */
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
      const [x, inputParams] = [inputs].flat() as [tf.Tensor, tf.Tensor2D | undefined];
      const { activation } = this.config.node;
      const y = this.#normalized(x, inputParams, training && collector() === undefined);
      return activation === "linear" ? y : clip(y, activation);
    });
  }

  #normalized(x: tf.Tensor, inputParams: tf.Tensor2D | undefined, training: boolean): tf.Tensor {
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
    const root = tf.sqrt(tf.add(this.#variance.read(), node.epsilon));
    const k = tf.mul<tf.Tensor1D>(gamma, tf.div(1, root));
    const shift = tf.add<tf.Tensor1D>(tf.mul(tf.neg(this.#mean.read()), k), beta);
    if (inputParams === undefined) return channelAffine(x, k, shift);
    const shape = [1, 1, 1, ...channels];
    const onGrid = { bias: shift, inputParams };
    const params = weightParams(`QATQuantizer: "${node.layer.name}"`, k, shape, BATCH_NORM_GRID, onGrid);
    const { axis } = BATCH_NORM_GRID;
    const grid = { ...gridOf(this.name, trainingGridOptions(BATCH_NORM_GRID)), axis };
    const rounded = fakeQuantize(k.reshape(shape), params, grid).reshape(channels) as tf.Tensor1D;
    return channelAffine(x, rounded, biasOnGrid(shift, inputParams, params));
  }
}
