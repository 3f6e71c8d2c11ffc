import * as tf from "@tensorflow/tfjs";
import type { ConvGeometry } from "../core/conv-geometry.js";

/** Attributes of the tfjs kernels of 2D convolutions and their gradients. */
export interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** The sizes that tfjs gives a 2D convolution, NHWC; weights [kh, kw, in, out], depthwise [kh, kw, in, multiplier]. */
export function convGeometry(
  inputShape: readonly number[],
  weightShape: readonly number[],
  { strides, pad, dilations = 1, dimRoundingMode }: ConvAttributes,
  depthwise: boolean,
): ConvGeometry {
  return geometryOf(
    tf.backend_util.computeConv2DInfo(
      inputShape as [number, number, number, number],
      weightShape as [number, number, number, number],
      strides,
      dilations,
      pad,
      dimRoundingMode,
      depthwise,
    ),
  );
}

function geometryOf(info: tf.backend_util.Conv2DInfo): ConvGeometry {
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}
