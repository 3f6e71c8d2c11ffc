import { type ConvGeometry, checkGeometry, inputSize, outputSize } from "../core/conv-geometry.js";
import * as reference from "../reference/max-pool-gradient.js";
import { geometryWords } from "./conv-geometry.js";
import type { KernelCall } from "./kernel-call.js";

/**
 * The gradient of 2D max pooling: inputs dy, x; output dx. The geometry's kernel is the window.
 *
 * Errors: RangeError for a bad geometry. Equation and ties: src/reference/max-pool-gradient.ts.
 */
export function maxPoolGradientCall(geometry: ConvGeometry): KernelCall {
  const where = "maxPoolGradient";
  checkGeometry(where, geometry);
  if (geometry.outChannels !== geometry.inChannels) {
    throw new RangeError(`${where}: expected ${geometry.inChannels} outChannels, got ${geometry.outChannels}`);
  }
  return {
    inputs: [outputSize(geometry), inputSize(geometry)],
    outputs: [inputSize(geometry)],
    words: geometryWords(geometry),
    scratchBytes: 0,
    run: (exports, { inputs: [dy, x], outputs: [dx], words }) => exports.maxPoolGradientF32(dy, x, dx, words),
    reference: ([dy, x], [dx]) => reference.maxPoolGradient(dy, x, geometry, dx),
  };
}
