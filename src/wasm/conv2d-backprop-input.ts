import { type ConvGeometry, checkGeometry, inputSize, outputSize } from "../core/conv-geometry.js";
import * as reference from "../reference/conv2d-backprop-input.js";
import { geometryWords, roundUp } from "./conv-geometry.js";
import type { KernelCall } from "./kernel-call.js";

/**
 * The gradient of a 2D convolution for its input: inputs dy, weights; output dx.
 *
 * Errors: RangeError for a bad geometry. Equation: src/reference/conv2d-backprop-input.ts.
 */
export function conv2dBackpropInputCall(geometry: ConvGeometry): KernelCall {
  checkGeometry("conv2dBackpropInput", geometry);
  const { kernelHeight, kernelWidth, inChannels, outChannels, inHeight, inWidth } = geometry;
  const taps = kernelHeight * kernelWidth;
  const channels8 = roundUp(inChannels, 8);
  const image = inChannels === channels8 ? 0 : inHeight * inWidth * channels8;
  return {
    inputs: [outputSize(geometry), taps * inChannels * outChannels],
    outputs: [inputSize(geometry)],
    words: geometryWords(geometry),
    scratchBytes: 4 * (taps * outChannels * channels8 + 8 + image),
    run: (exports, { inputs: [dy, weights], outputs: [dx], words, scratch }) =>
      exports.conv2dBackpropInputF32(dy, weights, dx, words, scratch),
    reference: ([dy, weights], [dx]) => reference.conv2dBackpropInput(dy, weights, geometry, dx),
  };
}
