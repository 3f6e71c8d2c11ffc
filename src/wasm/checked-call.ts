import { nonFiniteError } from "../core/tensor.js";
import { checkOverlap, floatOutput } from "./arguments.js";
import { type KernelCall, runCall } from "./kernel-call.js";
import { liveArray } from "./live-array.js";
import { loadedKernels } from "./load.js";

/** A call whose kernel tells whether the values it is about are finite; `found.finite` holds after it. */
export interface CheckedCall extends KernelCall {
  readonly found: { finite: boolean };
}

/**
 * Runs a call with one output; returns `out`, or a fresh array.
 *
 * `values` are the input that must be finite: QuantError `non-finite` names the first index otherwise, and out is untouched.
 */
export function runChecked(
  where: string,
  call: CheckedCall,
  inputs: readonly Float32Array[],
  values: Float32Array,
  out: Float32Array | undefined,
): Float32Array {
  const kernels = loadedKernels();
  const live = kernels === undefined ? () => values : liveArray(kernels.arena, values);
  const check = (): void => {
    if (!call.found.finite) throw nonFiniteError(where, live());
  };
  const checked: KernelCall = {
    ...call,
    run: (exports, at) => {
      call.run(exports, at);
      check(); // before outputs are written
    },
  };
  const target = floatOutput(where, out, values.length);
  for (const input of inputs) checkOverlap(where, input, target, true);
  const [result] = runCall(checked, inputs, [target]);
  check();
  return result;
}

/** A copy of values, in `out` when given: what 32 bits do. */
export function copied(where: string, values: Float32Array, out: Float32Array | undefined): Float32Array {
  const target = floatOutput(where, out, values.length);
  target.set(values);
  return target;
}
