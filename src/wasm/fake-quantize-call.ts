import { resolveParams } from "../core/quant-params.js";
import * as reference from "../reference/fake-quantize.js";
import * as referenceGradient from "../reference/fake-quantize-gradient.js";
import { straightThroughBounds } from "./fake-quantize-gradient.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";

/** Parameters of one whole tensor. */
export interface TensorParams {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly qmin: number;
  readonly qmax: number;
}

/** fakeQuantize of `length` values with one scale: input x, output y. Errors: as fakeQuantize. */
export function fakeQuantizeCall(params: TensorParams, length: number): KernelCall {
  const resolved = resolveParams("fakeQuantize", params, length);
  const { scale, zeroPoint, qmin, qmax } = params;
  return {
    inputs: [length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 0,
    run: (exports, { inputs: [x], outputs: [y] }) =>
      exports.fakeQuantizeF32(x, y, length, scale, zeroPoint, qmin, qmax),
    reference: ([x], [y]) => reference.fakeQuantize(x, resolved, y),
  };
}

/** fakeQuantizeGradient of `length` values with one scale: inputs dy, x; output dx. Errors: as fakeQuantizeGradient. */
export function fakeQuantizeGradientCall(params: TensorParams, length: number): KernelCall {
  const resolved = resolveParams("fakeQuantizeGradient", params, length);
  const { lo, hi } = straightThroughBounds(resolved);
  return {
    inputs: [length, length],
    outputs: [length],
    words: NO_WORDS,
    scratchBytes: 0,
    run: (exports, { inputs: [dy, x], outputs: [dx] }) =>
      exports.fakeQuantizeGradientF32(dy, x, dx, length, lo[0], hi[0]),
    reference: ([dy, x], [dx]) => referenceGradient.fakeQuantizeGradient(dy, x, resolved, dx),
  };
}
