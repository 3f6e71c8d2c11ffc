import * as tf from "@tensorflow/tfjs";
import type { LayerVariable } from "./counter.js";

/** One step of a moving moment as tfjs's own batch normalization takes it: old − (old − batch)·(1 − momentum). */
export function updateMoments(moving: LayerVariable, batch: tf.Tensor, momentum: number): void {
  const old = moving.read();
  moving.write(tf.sub(old, tf.mul(tf.sub(old, batch), 1 - momentum)));
}
