import { type ConvGeometry, checkMultiplier, inputSize, outputSize } from "../core/conv-geometry.js";
import * as reference from "../reference/depthwise-backprop-filter.js";
import { geometryWords } from "./conv-geometry.js";
import type { KernelCall } from "./kernel-call.js";

/**
 * The gradient of a depthwise 2D convolution for its weights: inputs x, dy; output dw [kh, kw, inChannels, multiplier].
 *
 * Errors: RangeError for a bad geometry. Equation: src/reference/depthwise-backprop-filter.ts.
 */
export function depthwiseBackpropFilterCall(geometry: ConvGeometry): KernelCall {
  const multiplier = checkMultiplier("depthwiseBackpropFilter", geometry);
  const { kernelHeight, kernelWidth, outChannels, inHeight, inWidth } = geometry;
  return {
    inputs: [inputSize(geometry), outputSize(geometry)],
    outputs: [kernelHeight * kernelWidth * outChannels],
    words: geometryWords(geometry),
    scratchBytes: multiplier === 1 ? 0 : 4 * inHeight * inWidth * outChannels,
    run: (exports, { inputs: [x, dy], outputs: [dw], words, scratch }) =>
      exports.depthwiseBackpropFilterF32(x, dy, dw, words, scratch),
    reference: ([x, dy], [dw]) => reference.depthwiseBackpropFilter(x, dy, geometry, dw),
  };
}
