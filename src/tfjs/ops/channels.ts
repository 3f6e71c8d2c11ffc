import type * as tf from "@tensorflow/tfjs";
import { formatShape, sizeOf } from "../../core/shape.js";
import type { RowSizes } from "../../wasm/row-sizes.js";

/** The tensor as rows of channels: the last axis, and all others. */
export function rowSizes({ shape }: tf.TensorInfo): RowSizes {
  return { rows: sizeOf(shape.slice(0, -1)), channels: shape[shape.length - 1] };
}

/** All axes but the last, for stock ops. */
export function rowAxes(x: tf.Tensor): number[] {
  return x.shape.slice(1).map((_, axis) => axis);
}

/** Checks that x has a channel axis and each parameter one value for each channel; throws RangeError. */
export function checkChannels(where: string, x: tf.Tensor, parameters: Readonly<Record<string, tf.Tensor>> = {}): void {
  if (x.rank === 0 || x.size === 0) {
    throw new RangeError(`${where}: expected x of rank 1 or more that is not empty, got ${formatShape(x.shape)}`);
  }
  const { channels } = rowSizes(x);
  for (const [name, { shape }] of Object.entries(parameters)) {
    if (shape.length !== 1 || shape[0] !== channels) {
      throw new RangeError(`${where}: expected ${name} [${channels}], got ${formatShape(shape)}`);
    }
  }
}
