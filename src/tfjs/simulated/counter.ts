import * as tf from "@tensorflow/tfjs";

/** A tfjs layer's variable. */
export type LayerVariable = tf.layers.Layer["weights"][number];

/** The number that a scalar variable holds. Reading it back costs nothing: it is never computed on a device. */
export function readCounter(variable: LayerVariable): number {
  return variable.read().dataSync()[0];
}

/** Sets a scalar variable. */
export function writeCounter(variable: LayerVariable, value: number): void {
  tf.tidy(() => {
    variable.write(tf.scalar(value));
  });
}
