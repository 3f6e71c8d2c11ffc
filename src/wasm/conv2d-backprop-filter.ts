import { type ConvGeometry, checkGeometry, inputSize, outputSize } from "../core/conv-geometry.js";
import * as reference from "../reference/conv2d-backprop-filter.js";
import { geometryWords, roundUp } from "./conv-geometry.js";
import type { KernelCall } from "./kernel-call.js";

/** Floats of x and dy that one step works on: 256 KiB stay in the second-level cache. */
const STEP = 65536;

/**
 * The gradient of a 2D convolution for its weights: inputs x, dy; output dw [kh, kw, inChannels, outChannels].
 *
 * Errors: RangeError for a bad geometry. Equation: src/reference/conv2d-backprop-filter.ts.
 */
export function conv2dBackpropFilterCall(geometry: ConvGeometry): KernelCall {
  checkGeometry("conv2dBackpropFilter", geometry);
  const { kernelHeight, kernelWidth, inChannels, outChannels } = geometry;
  const { rows, scratchBytes } = steps(geometry);
  return {
    inputs: [inputSize(geometry), outputSize(geometry)],
    outputs: [kernelHeight * kernelWidth * inChannels * outChannels],
    words: geometryWords(geometry, rows),
    scratchBytes,
    run: (exports, { inputs: [x, dy], outputs: [dw], words, scratch }) =>
      exports.conv2dBackpropFilterF32(x, dy, dw, words, scratch),
    reference: ([x, dy], [dw]) => reference.conv2dBackpropFilter(x, dy, geometry, dw),
  };
}

/** Output rows per step, and the scratch that the kernel's docstring draws. */
function steps(geometry: ConvGeometry): { rows: number; scratchBytes: number } {
  const g = geometry;
  const reach = (g.kernelHeight - 1) * g.dilationHeight + 1;
  const wide = (g.outWidth - 1) * g.strideWidth + (g.kernelWidth - 1) * g.dilationWidth + 1;
  const tall = (g.outHeight - 1) * g.strideHeight + reach;
  const outs8 = roundUp(g.outChannels, 8);
  const perRow = g.strideHeight * wide * g.inChannels + g.outWidth * outs8;
  const rows = Math.min(g.outHeight, Math.max(1, Math.floor(STEP / perRow)));
  const taps = g.kernelHeight * g.kernelWidth * g.inChannels;
  const taps4 = roundUp(taps, 4);
  const bordered = g.padTop > 0 || g.padLeft > 0 || tall > g.inHeight || wide > g.inWidth;
  const total = taps === taps4 && g.outChannels === outs8 ? 0 : taps4 * outs8;
  const x = bordered ? ((rows - 1) * g.strideHeight + reach) * wide * g.inChannels : 0;
  const dy = g.outChannels === outs8 ? 0 : rows * g.outWidth * outs8;
  return { rows, scratchBytes: 4 * (taps4 + total + x + dy) };
}
