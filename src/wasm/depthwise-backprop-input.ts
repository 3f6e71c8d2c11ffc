import { type ConvGeometry, checkMultiplier, inputSize, outputSize } from "../core/conv-geometry.js";
import * as reference from "../reference/depthwise-backprop-input.js";
import { geometryWords } from "./conv-geometry.js";
import type { KernelCall } from "./kernel-call.js";

/**
 * The gradient of a depthwise 2D convolution for its input: inputs dy, weights [kh, kw, inChannels, multiplier]; output dx.
 *
 * Errors: RangeError for a bad geometry. Equation: src/reference/depthwise-backprop-input.ts.
 */
export function depthwiseBackpropInputCall(geometry: ConvGeometry): KernelCall {
  const multiplier = checkMultiplier("depthwiseBackpropInput", geometry);
  const { kernelHeight, kernelWidth, outChannels, inHeight, inWidth } = geometry;
  return {
    inputs: [outputSize(geometry), kernelHeight * kernelWidth * outChannels],
    outputs: [inputSize(geometry)],
    words: geometryWords(geometry),
    scratchBytes: multiplier === 1 ? 0 : 4 * inHeight * inWidth * outChannels,
    run: (exports, { inputs: [dy, weights], outputs: [dx], words, scratch }) =>
      exports.depthwiseBackpropInputF32(dy, weights, dx, words, scratch),
    reference: ([dy, weights], [dx]) => reference.depthwiseBackpropInput(dy, weights, geometry, dx),
  };
}
