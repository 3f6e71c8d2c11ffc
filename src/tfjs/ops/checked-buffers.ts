import type * as tf from "@tensorflow/tfjs";
import { nonFiniteError } from "../../core/tensor.js";
import type { CheckedCall } from "../../wasm/checked-call.js";
import { withBuffers } from "../backend-memory.js";
import type { HostBackend } from "./host-backend.js";

/**
 * withBuffers for a call with one output that tells whether values are finite.
 *
 * Errors: QuantError `non-finite`, naming the first index in `values`; then no output is left behind.
 */
export function checkedBuffers(
  where: string,
  backend: unknown,
  call: CheckedCall,
  inputs: readonly tf.TensorInfo[],
  values: tf.TensorInfo,
): tf.TensorInfo {
  const [output] = withBuffers(backend, call, inputs, [values.shape]);
  if (call.found.finite) return output;
  const host = backend as HostBackend;
  host.disposeData(output.dataId);
  throw nonFiniteError(where, host.readSync(values.dataId));
}
