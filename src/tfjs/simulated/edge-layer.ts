import * as tf from "@tensorflow/tfjs";
import { QuantError } from "../../core/errors.js";
import { type GridOptions, gridOf } from "../../core/grid.js";
import type { FixedQuantizer, OwnQuantizer } from "../../graph/types.js";
import { fakeQuantize } from "../ops/fake-quantize.js";
import { observeRange } from "../ops/observe-range.js";
import { noParams, paramsTensor } from "../ops/quant-params-tensor.js";
import { rangeParams } from "../ops/range-params.js";
import { collector, recorder } from "./call-mode.js";
import { ConfiguredLayer, type LayerConfig } from "./configured-layer.js";
import { type LayerVariable, readCounter, writeCounter } from "./counter.js";

/** Configuration of an edge layer: plain data, part of a saved model. */
export interface EdgeConfig extends LayerConfig {
  /** Name of the graph's value that is quantized here. */
  readonly value: string;
  readonly quantizer: OwnQuantizer | FixedQuantizer;
  readonly quantStartStep: number;
  readonly decay: number;
  readonly freezeObserversStep: number;
}

/**
 * One value of the graph on its grid: observes its range in training and rounds to it.
 *
 * The parameters of its last call are there for the layers behind (ParamsLayer).
 * In training, step n (from 0): observes while n < freezeObserversStep, rounds from quantStartStep on. In evaluation: rounds.
 * One that only observes never rounds.
 * Weights, none trainable: range [min, max], observed (batches seen), step; with fixed parameters the step alone.
 *
 * Errors: QuantError `not-calibrated` where values must be rounded before any were seen, `non-finite` for NaN or ±Infinity.
 */
export class EdgeLayer extends ConfiguredLayer<EdgeConfig> {
  static readonly className = "BitpressEdge";
  #range: LayerVariable | undefined;
  #observed: LayerVariable | undefined;
  #step: LayerVariable | undefined;
  /** Whether the last call rounded. */
  #rounds = false;

  override build(): void {
    const add = (name: string, shape: number[]) =>
      this.addWeight(name, shape, "float32", tf.initializers.zeros(), undefined, false);
    if (!("fixed" in this.config.quantizer)) {
      this.#range = add("range", [2]);
      this.#observed = add("observed", []);
    }
    this.#step = add("step", []);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return single(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat();
      const collect = collector();
      collect?.(this.config.value, x);
      const rounds = collect === undefined && this.#advance(x, training);
      this.#rounds = rounds && !("observeOnly" in this.config.quantizer);
      if ("observeOnly" in this.config.quantizer) recorder()?.(this, x);
      if (!this.#rounds) return x.clone();
      const rounded = fakeQuantize(x, this.params(), gridOf(this.name, optionsOf(this.config.quantizer)));
      recorder()?.(this, rounded);
      return rounded;
    });
  }

  /** Parameters [2, 1] with which the last call rounded; scale 0 where it did not. */
  currentParams(): tf.Tensor2D {
    return this.#rounds ? this.params() : noParams();
  }

  /** Parameters [2, 1] of the range observed so far, or the fixed ones. Errors: QuantError `not-calibrated`. */
  params(): tf.Tensor2D {
    const { quantizer, value } = this.config;
    if ("fixed" in quantizer) return paramsTensor({ ...quantizer.fixed, ...gridOf(this.name, optionsOf(quantizer)) });
    if (readCounter(this.#observed as LayerVariable) === 0) {
      throw new QuantError(
        "not-calibrated",
        `QATQuantizer: expected "${value}" to have seen data, got none; train the model with fit(), or run calibrate() with at least one sample`,
        { value },
      );
    }
    return tf.tidy(() => {
      const [min, max] = tf.split((this.#range as LayerVariable).read(), 2) as tf.Tensor1D[];
      return rangeParams(`QATQuantizer: "${value}"`, min, max, optionsOf(quantizer));
    });
  }

  /** The range observed so far; undefined before any, and with fixed parameters. */
  async range(): Promise<{ readonly min: number; readonly max: number } | undefined> {
    if (this.#range === undefined || readCounter(this.#observed as LayerVariable) === 0) return undefined;
    const [min, max] = await this.#range.read().data();
    return { min, max };
  }

  /** Sets the range, as if data had been observed. */
  setRange({ min, max }: { readonly min: number; readonly max: number }): void {
    tf.tidy(() => {
      this.#range?.write(tf.tensor1d([min, max]));
      if (this.#observed !== undefined) writeCounter(this.#observed, Math.max(1, readCounter(this.#observed)));
    });
  }

  /** Observes and counts one call; tells whether it rounds. */
  #advance(x: tf.Tensor, training: boolean): boolean {
    if (!training) return true;
    const { quantStartStep, freezeObserversStep } = this.config;
    const step = this.#step as LayerVariable;
    const n = readCounter(step);
    if (n < freezeObserversStep) this.#observe(x);
    writeCounter(step, n + 1);
    return n >= quantStartStep;
  }

  #observe(x: tf.Tensor): void {
    const range = this.#range;
    const observed = this.#observed;
    if (range === undefined || observed === undefined) return;
    const count = readCounter(observed);
    const before = count === 0 ? undefined : (range.read() as tf.Tensor1D);
    range.write(observeRange(`QATQuantizer: "${this.config.value}"`, x, before, this.config.decay));
    writeCounter(observed, count + 1);
  }
}

/** The quantizer's grid in words. */
export function optionsOf(quantizer: OwnQuantizer | FixedQuantizer): GridOptions {
  const { bits, signed } = quantizer;
  return "fixed" in quantizer ? { bits, signed } : { bits, signed, symmetric: quantizer.symmetric };
}

/** The one shape of a layer with one input. */
export function single(shape: tf.Shape | tf.Shape[]): tf.Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape;
}
