import * as tf from "@tensorflow/tfjs";
import type { Shape } from "../../core/shape.js";
import type { NodeDorefa, WeightedNode } from "../../graph/types.js";
import { addBias } from "../ops/add-bias.js";
import { clip } from "../ops/clip.js";
import { dorefaGradients } from "../ops/dorefa-gradients.js";
import { dorefaWeights } from "../ops/dorefa-weights.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { type LayerVariable, readCounter, writeCounter } from "./counter.js";
import { single } from "./edge-layer.js";
import { linear } from "./linear.js";
import { constraintOf, regularizerOf } from "./stock-parts.js";

/** Configuration of a DoReFa layer: plain data, part of a saved model. */
export interface DorefaConfig extends LayerConfig {
  /** The graph's node: of the first use, where a layer is used several times. */
  readonly node: WeightedNode & { readonly dorefa: NodeDorefa };
  /** Shapes of the variables, by role. */
  readonly shapes: { readonly weights: Shape; readonly channels: number };
}

/**
 * conv2d, depthwiseConv2d or dense with weights in few bits, whose gradient is rounded before both backward products:
 *
 *     z = linear(x, dorefaWeights(w)),   dz = dorefaGradients(arriving dz; seed, step, tensor),   y = activation(z + bias)
 *
 * dx and dw come from the rounded dz; the bias's gradient from the one that arrives. Weights, one not trainable: kernel, bias, and
 * step, the number of calls in training, of which the noise depends. Source: Zhou et al. 2016, algorithm 1.
 */
export class DorefaLayer extends ConfiguredLayer<DorefaConfig> {
  static readonly className = "BitpressDorefa";
  #kernel!: LayerVariable;
  #bias: LayerVariable | undefined;
  #step!: LayerVariable;

  override build(): void {
    const { node, shapes } = this.config;
    const zeros = tf.initializers.zeros();
    const add = (name: string, shape: Shape) => {
      const { config } = node.layer;
      const [regularizer, constraint] = [regularizerOf(config, name), constraintOf(config, name)];
      return this.addWeight(name, [...shape], "float32", zeros, regularizer, node.trainable, constraint);
    };
    this.#kernel = add(node.op === "depthwiseConv2d" ? "depthwise_kernel" : "kernel", shapes.weights);
    if (node.bias !== undefined) this.#bias = add("bias", [shapes.channels]);
    this.#step = this.addWeight("step", [], "float32", zeros, undefined, false);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return linear.outputShape(this.config.node, single(inputShape));
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const { node } = this.config;
      const product = linear.apply(node, [inputs].flat()[0], this.rounded());
      const z = training ? this.#roundsGradient(product) : product;
      const bias = this.#bias?.read() as tf.Tensor1D | undefined;
      const y = bias === undefined ? z : addBias(z, bias);
      return node.activation === "linear" ? y : clip(y, node.activation);
    });
  }

  /** The weights as the product has them. */
  rounded(): tf.Tensor {
    const { node } = this.config;
    return dorefaWeights(
      `DoReFaQuantizer: weights of "${node.layer.name}"`,
      this.#kernel.read(),
      node.dorefa.weightBits,
    );
  }

  #roundsGradient(product: tf.Tensor): tf.Tensor {
    const { layer, dorefa } = this.config.node;
    const { gradientBits: bits, seed, tensor } = dorefa;
    const step = readCounter(this.#step);
    writeCounter(this.#step, step + 1);
    const where = `DoReFaQuantizer: gradient arriving at "${layer.name}"`;
    return dorefaGradients(product, { where, bits, seed, step, tensor });
  }
}
