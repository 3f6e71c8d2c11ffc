import type { QuantParams } from "../../core/quant-params.js";
import { roundTiesToEven } from "../../reference/rounding.js";
import { dorefaWeights } from "../../wasm/dorefa-weights.js";

/** int8 codes of one tensor and what they mean. */
export interface WeightCodes {
  readonly data: Int8Array;
  readonly params: QuantParams & { readonly scale: number; readonly zeroPoint: 0 };
}

const LARGEST = 127;
const SMALLEST_NORMAL = 2 ** -126;

/**
 * DoReFa's weights as int8 codes: code · scale is what dorefaWeights gives, but for roundings to float32.
 *
 *     1 bit      code = ±1,  scale = E
 *     2…7 bits   code = (2q − n) · c,  scale = fl(1/(n·c)),  n = 2^k − 1,  c = ⌊127/n⌋
 *     8 bits     code = rne(127 · y),  scale = fl(1/127): refitted, as 2q − n does not fit; off by up to 1/254
 *
 * 1-bit weights that are all 0 have code 0 and scale 1. The grid is [−1, 1] with 1 bit, else [−127, 127].
 *
 * @param w the weights of one layer, finite
 * @param bits 1…8
 *
 * Errors: RangeError for other bits; QuantError `non-finite`, naming the index. `where` begins the message of the first.
 * Source: docs/numerics.md, "DoReFa in integers".
 */
export function dorefaWeightCodes(where: string, w: Float32Array, bits: number): WeightCodes {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 8)) {
    throw new RangeError(`${where}: expected bits of weights in 1…8 for int8 codes, got ${bits}`);
  }
  const y = dorefaWeights(w, bits);
  if (bits === 1) {
    const mean = Math.abs(y[0] ?? 0);
    const params = {
      scale: mean === 0 ? 1 : Math.max(mean, SMALLEST_NORMAL),
      zeroPoint: 0,
      qmin: -1,
      qmax: 1,
    } as const;
    return { data: Int8Array.from(y, Math.sign), params };
  }
  const n = 2 ** bits - 1;
  const c = Math.max(1, Math.floor(LARGEST / n));
  const largest = Math.min(LARGEST, n * c);
  return {
    // y · n is 2q − n but for a rounding; with 8 bits, 127 · y is no integer.
    data: Int8Array.from(y, (value) => (bits === 8 ? roundTiesToEven(value * LARGEST) : Math.round(value * n) * c)),
    params: { scale: Math.fround(1 / largest), zeroPoint: 0, qmin: -LARGEST, qmax: LARGEST },
  };
}
