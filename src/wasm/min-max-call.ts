import { tensorView } from "../core/shape.js";
import * as reference from "../reference/min-max.js";
import { type KernelCall, NO_WORDS } from "./kernel-call.js";

/** Smallest and largest of `length` ≥ 1 values: input x, output [min, max]; a call with `found.finite` told after it. */
export function minMaxCall(length: number): KernelCall & { readonly found: { finite: boolean } } {
  const found = { finite: true };
  return {
    found,
    inputs: [length],
    outputs: [2],
    words: NO_WORDS,
    scratchBytes: 0,
    run: (exports, { inputs: [x], outputs: [pair] }) => {
      found.finite = exports.minMaxF32(x, length, pair) === 1;
    },
    reference: ([x], [pair]) => {
      found.finite = reference.minMax(x, tensorView(length), pair.subarray(0, 1), pair.subarray(1));
    },
  };
}
