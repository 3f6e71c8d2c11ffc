import * as tf from "@tensorflow/tfjs";
import { noiseAt, noiseKey } from "../../src/reference/gradient-noise.js";
import { largestMagnitude } from "../../src/reference/largest-magnitude.js";
import { fl, roundTiesToEven } from "../../src/reference/rounding.js";
import type { Noise } from "./plan.js";

/** How the ablation rounds a gradient. */
export interface Rounding {
  readonly bits: number;
  readonly noise: Noise;
  readonly seed: number;
  readonly tensor: number;
}

/**
 * As src/reference/dorefa-gradients.ts, whose bits it gives with noise per element, but with the noise drawn as the ablation says:
 * from the index of the element, from that of the sample, or 0. `dr` must be finite.
 */
export function roundGradient(
  dr: Float32Array,
  batch: number,
  step: number,
  { bits, noise, seed, tensor }: Rounding,
): Float32Array {
  const key = noiseKey({ seed, step, tensor });
  const n = 2 ** bits - 1;
  const size = dr.length / batch;
  const out = new Float32Array(dr.length);
  for (let sample = 0; sample < batch; sample++) {
    const [start, end] = [sample * size, (sample + 1) * size];
    const m = largestMagnitude(dr.subarray(start, end));
    if (m === undefined) throw new RangeError("accuracy dorefa: expected finite gradients, got NaN or Infinity");
    if (m === 0) continue;
    for (let i = start; i < end; i++) {
      const v = fl(fl(fl(dr[i] / m) * (n / 2)) + n / 2);
      const r = roundTiesToEven(v);
      const drawn = noise === "none" ? 0 : noiseAt(key, noise === "element" ? i : sample);
      const code = r + roundTiesToEven(fl(fl(v - r) + drawn));
      out[i] = fl(fl((2 * code - n) * fl(1 / n)) * m);
    }
  }
  return out;
}

/** x itself; in training, the gradient that arrives is rounded. */
export class RoundsGradient extends tf.layers.Layer {
  static readonly className = "AblationRoundsGradient";
  readonly #rounding: Rounding;
  #step = 0;

  constructor(config: ConstructorParameters<typeof tf.layers.Layer>[0] & { rounding: Rounding }) {
    super(config);
    this.#rounding = config.rounding;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    const [x] = [inputs].flat();
    if (!training) return tf.reshape(x, x.shape);
    const step = this.#step++;
    const round = tf.customGrad((given) => ({
      value: tf.reshape(given as tf.Tensor, x.shape),
      gradFunc: (dr: tf.Tensor) => {
        const rounded = roundGradient(dr.dataSync<"float32">(), dr.shape[0], step, this.#rounding);
        return tf.tensor(rounded, dr.shape);
      },
    }));
    return round(x);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rounding: { ...this.#rounding } };
  }
}

tf.serialization.registerClass(RoundsGradient);
