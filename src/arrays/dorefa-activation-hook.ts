import { QuantError } from "../core/errors.js";
import { SIGN_GRID, UNTOUCHED_BITS, unitGrid } from "../core/unit-grid.js";
import type { CalibratedTarget } from "../quantizers/calibration-config.js";
import type { DoReFaActivation } from "../quantizers/dorefa-options.js";
import { dorefaActivations } from "../wasm/dorefa-activations.js";
import { dorefaActivationsGradient } from "../wasm/dorefa-activations-gradient.js";
import { signActivations } from "../wasm/sign-activations.js";
import { signActivationsGradient } from "../wasm/sign-activations-gradient.js";

/** One activation in DoReFa training: clipped and rounded, on a grid that does not depend on the data. */
export interface DoReFaActivationHook {
  /** x clipped and rounded. */
  forward(x: Float32Array): Float32Array;
  /** The straight-through gradient of the last forward. */
  gradient(dy: Float32Array): Float32Array;
  /** The grid in the words of training: codes from 0, or the signs. */
  calibration(): CalibratedTarget;
}

/** Makes the hook of one activation; undefined with 32 bits. `where` begins the message of its errors. */
export function dorefaActivationHook(
  where: string,
  bits: number,
  { bound, sign }: DoReFaActivation,
): DoReFaActivationHook | undefined {
  if (bits === UNTOUCHED_BITS) return undefined;
  const isSign = sign && bits === 1;
  let last: Float32Array | undefined;
  return {
    forward(x) {
      last = x;
      return isSign ? signActivations(x) : dorefaActivations(x, bits, { bound });
    },
    gradient(dy) {
      if (last === undefined) {
        throw new QuantError("not-calibrated", `${where}: expected values before their gradient, got none`);
      }
      return isSign ? signActivationsGradient(dy, last) : dorefaActivationsGradient(dy, last, bits, { bound });
    },
    calibration: () =>
      isSign ? { params: SIGN_GRID, symmetric: true, bits } : { params: unitGrid(bits, bound), symmetric: false },
  };
}
