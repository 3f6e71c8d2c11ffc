import * as tf from "@tensorflow/tfjs";
import type { QuantParams } from "../../core/quant-params.js";

// Between tfjs ops, quantization parameters are one tensor: float32 [2, C], scales in row 0 and zero points in row 1, one
// column per channel. Scale 0 means: not quantized for now.

/** Parameters as a tensor [2, C]. */
export function paramsTensor({ scale, zeroPoint }: QuantParams): tf.Tensor2D {
  const scales = typeof scale === "number" ? [scale] : scale;
  const zeroPoints = typeof zeroPoint === "number" ? [zeroPoint] : zeroPoint;
  const values = new Float32Array(2 * scales.length);
  values.set(scales);
  values.set(zeroPoints, scales.length);
  return tf.tensor2d(values, [2, scales.length]);
}

/** Parameters that leave values as they are. */
export function noParams(): tf.Tensor2D {
  return tf.zeros<tf.Rank.R2>([2, 1]);
}

/** Scales and zero points from the values of such a tensor. */
export function columnsOf(values: Float32Array): { readonly scale: Float32Array; readonly zeroPoint: Int32Array } {
  const channels = values.length / 2;
  return { scale: values.slice(0, channels), zeroPoint: Int32Array.from(values.subarray(channels)) };
}
