import * as tf from "@tensorflow/tfjs";
import { EdgeLayer } from "./edge-layer.js";

/**
 * The parameters [2, 1] of an edge, as a tensor for the layers behind; the input is what the edge gives.
 *
 * A layer of its own, because tfjs runs a layer once for each of its outputs that is read.
 */
export class ParamsLayer extends tf.layers.Layer {
  static readonly className = "BitpressParams";
  #edge: EdgeLayer | undefined;

  override apply(
    inputs: Parameters<tf.layers.Layer["apply"]>[0],
    kwargs?: object,
  ): ReturnType<tf.layers.Layer["apply"]> {
    const [input] = [inputs].flat();
    if (input instanceof tf.SymbolicTensor && input.sourceLayer instanceof EdgeLayer) this.#edge = input.sourceLayer;
    return super.apply(inputs, kwargs);
  }

  override computeOutputShape(): tf.Shape {
    return [2, 1];
  }

  override call(): tf.Tensor {
    return (this.#edge as EdgeLayer).currentParams();
  }
}
