import * as tf from "@tensorflow/tfjs";
import { gridOf } from "../../core/grid.js";
import type { Shape } from "../../core/shape.js";
import { trainingGridOptions } from "../../graph/training-weights.js";
import type { NodeBatchNorm, NodeWeightGrid, WeightedNode } from "../../graph/types.js";
import { weightsView } from "../../graph/weights-view.js";
import { addBias } from "../ops/add-bias.js";
import { batchNormTrain } from "../ops/batch-norm-train.js";
import { biasOnGrid } from "../ops/bias-on-grid.js";
import { channelAffine } from "../ops/channel-affine.js";
import { clip } from "../ops/clip.js";
import { fakeQuantize } from "../ops/fake-quantize.js";
import { momentsOf } from "../ops/moments-of.js";
import { weightParams } from "../ops/weight-params.js";
import { collector } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { type LayerVariable, readCounter, writeCounter } from "./counter.js";
import { linear } from "./linear.js";
import { updateMoments } from "./moving-moments.js";
import { constraintOf, regularizerOf } from "./stock-parts.js";

/** Configuration of a weighted layer: plain data, part of a saved model. */
export interface WeightedConfig extends LayerConfig {
  /** The graph's node: of the first use, where a layer is used several times. */
  readonly node: WeightedNode;
  /** Shapes of the variables, by role. */
  readonly shapes: { readonly weights: Shape; readonly channels: number };
  /** How often the model uses the layer: that many calls are one training step. */
  readonly uses: number;
  readonly quantStartStep: number;
  readonly freezeBatchNormStep: number;
}

/** What a layer does in one call. */
interface Mode {
  /** Whether weights are rounded. */
  readonly quantized: boolean;
  /** Whether batch normalization uses, and updates, the batch's moments. */
  readonly batchMoments: boolean;
  /** Whether biases lie on their integer grid. */
  readonly biasOnGrid: boolean;
}

/**
 * conv2d, depthwiseConv2d or dense, with the batch normalization and activation that were folded and fused into it, as integers
 * will compute it: weights folded and rounded, in training corrected for the batch's moments.
 *
 * Inputs: the values, and the parameters [2, 1] of their grid where they have one (the bias's grid follows from it).
 * Before freezeBatchNormStep, with moments μ_B, σ_B of the unfolded convolution and moving ones μ_mv, σ_mv:
 *
 *     y = conv(x, w_q) · (σ_mv/σ_B) + β − γ·(μ_B − b)/σ_B,   w_q = fakeQuantize(w·γ/σ_mv)
 *
 * after it, in evaluation, and where the batch normalization was frozen: y = conv(x, w_q) + β − γ·(μ_mv − b)/σ_mv, with the bias
 * on its grid. Source: docs/numerics.md, "Batch normalization in training"; Jacob et al. 2018, §3.2; Krishnamoorthi 2018, §3.2.2.
 */
export class WeightedLayer extends ConfiguredLayer<WeightedConfig> {
  static readonly className = "BitpressWeighted";
  #kernel!: LayerVariable;
  #bias: LayerVariable | undefined;
  #gamma: LayerVariable | undefined;
  #beta: LayerVariable | undefined;
  #mean: LayerVariable | undefined;
  #variance: LayerVariable | undefined;
  #calls!: LayerVariable;

  override build(): void {
    const { node, shapes } = this.config;
    const { batchNorm, trainable, bias } = node;
    const { zeros, ones } = tf.initializers;
    const add = (name: string, shape: Shape, initializer: ReturnType<typeof zeros>, train: boolean) => {
      const { config } = name === "gamma" || name === "beta" ? (batchNorm?.layer ?? node.layer) : node.layer;
      const regularizer = regularizerOf(config, name);
      const constraint = constraintOf(config, name);
      return this.addWeight(name, [...shape], "float32", initializer, regularizer, train, constraint);
    };
    const perChannel = [shapes.channels];
    this.#kernel = add(
      node.op === "depthwiseConv2d" ? "depthwise_kernel" : "kernel",
      shapes.weights,
      zeros(),
      trainable,
    );
    if (bias !== undefined) this.#bias = add("bias", perChannel, zeros(), trainable);
    if (batchNorm !== undefined) {
      if (batchNorm.gamma !== undefined) this.#gamma = add("gamma", perChannel, ones(), batchNorm.trainable);
      if (batchNorm.beta !== undefined) this.#beta = add("beta", perChannel, zeros(), batchNorm.trainable);
      this.#mean = add("moving_mean", perChannel, zeros(), false);
      this.#variance = add("moving_variance", perChannel, ones(), false);
    }
    this.#calls = add("calls", [], zeros(), false);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return linear.outputShape(
      this.config.node,
      (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tf.Shape,
    );
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [x, inputParams] = [inputs].flat() as [tf.Tensor, tf.Tensor2D | undefined];
      const mode = this.#mode(training);
      const { batchNorm, activation } = this.config.node;
      const y =
        batchNorm !== undefined && mode.batchMoments
          ? this.#withBatchMoments(x, batchNorm, mode)
          : this.#withBias(x, inputParams, mode);
      return activation === "linear" ? y : clip(y, activation);
    });
  }

  /** Weights [kh, kw, …] as the integers will have them in float, before rounding, and the bias: batch norm folded in. */
  folded(): { readonly weights: tf.Tensor; readonly bias: tf.Tensor1D | undefined } {
    const { batchNorm } = this.config.node;
    const kernel = this.#kernel.read();
    const bias = this.#bias?.read() as tf.Tensor1D | undefined;
    if (batchNorm === undefined) return { weights: kernel, bias };
    return tf.tidy(() => {
      const { gamma, beta, mean, variance } = this.#normalization();
      const k = tf.mul<tf.Tensor1D>(gamma, reciprocalRoot(variance, batchNorm.epsilon));
      const centred = bias === undefined ? tf.neg(mean) : tf.sub(bias, mean);
      return { weights: this.#timesChannels(kernel, k), bias: tf.add(tf.mul(centred, k), beta) as tf.Tensor1D };
    });
  }

  /** Parameters of the folded weights as evaluation rounds them; undefined where they stay float. */
  weightParams(inputParams?: tf.Tensor2D): tf.Tensor2D | undefined {
    const { weightGrid } = this.config.node;
    if (weightGrid === undefined) return undefined;
    return tf.tidy(() => {
      const { weights, bias } = this.folded();
      return this.#params(weights, weightGrid, bias, inputParams);
    });
  }

  #mode(training: boolean): Mode {
    const { node, uses, quantStartStep, freezeBatchNormStep } = this.config;
    if (collector() !== undefined) return { quantized: false, batchMoments: false, biasOnGrid: false };
    if (!training) return { quantized: true, batchMoments: false, biasOnGrid: true };
    const calls = readCounter(this.#calls);
    writeCounter(this.#calls, calls + 1);
    const step = Math.floor(calls / uses);
    const frozen = step >= freezeBatchNormStep;
    const quantized = step >= quantStartStep;
    return { quantized, batchMoments: !frozen && node.batchNorm?.trainable === true, biasOnGrid: frozen && quantized };
  }

  #withBias(x: tf.Tensor, inputParams: tf.Tensor2D | undefined, mode: Mode): tf.Tensor {
    const { weightGrid } = this.config.node;
    const { weights, bias } = this.folded();
    if (weightGrid === undefined || !mode.quantized) {
      const z = linear.apply(this.config.node, x, weights);
      return bias === undefined ? z : addBias(z, bias);
    }
    const onGrid = mode.biasOnGrid ? inputParams : undefined;
    const params = this.#params(weights, weightGrid, bias, onGrid);
    const z = linear.apply(this.config.node, x, this.#rounded(weights, params, weightGrid));
    if (bias === undefined) return z;
    return addBias(z, onGrid === undefined ? bias : biasOnGrid(bias, onGrid, params));
  }

  #withBatchMoments(x: tf.Tensor, { epsilon, momentum }: NodeBatchNorm, mode: Mode): tf.Tensor {
    const { node } = this.config;
    const { gamma, beta, variance } = this.#normalization();
    const bias = this.#bias?.read() as tf.Tensor1D | undefined;
    const z = linear.apply(node, x, this.#kernel.read());
    const { weightGrid } = node;
    if (weightGrid === undefined) {
      const [y, batchMean, batchVariance] = batchNormTrain(
        bias === undefined ? z : addBias(z, bias),
        gamma,
        beta,
        epsilon,
      );
      this.#updateMoments(batchMean, batchVariance, momentum);
      return y;
    }
    const [withoutBias, batchVariance] = momentsOf(z);
    const batchMean = bias === undefined ? withoutBias : (tf.add(withoutBias, bias) as tf.Tensor1D);
    const batchRoot = reciprocalRoot(batchVariance, epsilon);
    const k = tf.mul<tf.Tensor1D>(gamma, reciprocalRoot(variance, epsilon));
    const folded = this.#timesChannels(this.#kernel.read(), k);
    const weights = mode.quantized
      ? this.#rounded(folded, this.#params(folded, weightGrid, undefined, undefined), weightGrid)
      : folded;
    const correction = tf.mul<tf.Tensor1D>(tf.sqrt(tf.add(variance, epsilon)), batchRoot);
    const centre = bias === undefined ? batchMean : tf.sub(batchMean, bias);
    const shift = tf.sub<tf.Tensor1D>(beta, tf.mul(tf.mul(gamma, centre), batchRoot));
    const y = channelAffine(linear.apply(node, x, weights), correction, shift);
    // Last, since the fold reads the moving moments as they were.
    this.#updateMoments(batchMean, batchVariance, momentum);
    return y;
  }

  #normalization(): Record<"gamma" | "beta" | "mean" | "variance", tf.Tensor1D> {
    const read = (variable: LayerVariable | undefined) => variable?.read() as tf.Tensor1D | undefined;
    const { channels } = this.config.shapes;
    return {
      gamma: read(this.#gamma) ?? tf.ones([channels]),
      beta: read(this.#beta) ?? tf.zeros([channels]),
      mean: read(this.#mean) as tf.Tensor1D,
      variance: read(this.#variance) as tf.Tensor1D,
    };
  }

  #updateMoments(mean: tf.Tensor1D, variance: tf.Tensor1D, momentum: number): void {
    updateMoments(this.#mean as LayerVariable, mean, momentum);
    updateMoments(this.#variance as LayerVariable, variance, momentum);
  }

  /** weights · k, k one number per output channel. */
  #timesChannels(weights: tf.Tensor, k: tf.Tensor1D): tf.Tensor {
    const view = weights.reshape([...weightsView(this.config.node).shape]);
    return channelAffine(view, k, tf.zeros([this.config.shapes.channels])).reshape(weights.shape);
  }

  #params(
    weights: tf.Tensor,
    grid: NodeWeightGrid,
    bias: tf.Tensor1D | undefined,
    inputParams: tf.Tensor2D | undefined,
  ): tf.Tensor2D {
    const { node } = this.config;
    const onGrid = bias === undefined || inputParams === undefined ? undefined : { bias, inputParams };
    return weightParams(
      `QATQuantizer: weights of "${node.layer.name}"`,
      weights,
      weightsView(node).shape,
      grid,
      onGrid,
    );
  }

  #rounded(weights: tf.Tensor, params: tf.Tensor2D, grid: NodeWeightGrid): tf.Tensor {
    const view = weights.reshape([...weightsView(this.config.node).shape]);
    const axis = grid.granularity === "perChannel" ? { axis: grid.axis } : {};
    const rounded = fakeQuantize(view, params, { ...gridOf(this.name, trainingGridOptions(grid)), ...axis });
    return rounded.reshape(weights.shape);
  }
}

/** fl(1 / fl(√fl(variance + ε))). */
function reciprocalRoot(variance: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.div(1, tf.sqrt(tf.add(variance, epsilon)));
}
