import { QuantError } from "./errors.js";
import type { Codes } from "./grid.js";
import type { QuantParams } from "./quant-params.js";
import type { Shape } from "./shape.js";

/** A float tensor over plain memory, row-major. */
export interface Tensor {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** Integer codes and the parameters that give them a meaning. */
export interface QuantizedTensor {
  readonly data: Codes;
  readonly shape: Shape;
  readonly params: QuantParams;
}

/** Named weights of a model; a layer is the name before the last dot, and `type` its kind where the rank does not tell. */
export type StateDict = Readonly<Record<string, Tensor & { readonly type?: string }>>;

/** A state dict some of whose tensors were quantized. */
export type QuantizedStateDict = Readonly<Record<string, Tensor | QuantizedTensor>>;

/** Whether a tensor holds codes. */
export function isQuantized(tensor: Tensor | QuantizedTensor): tensor is QuantizedTensor {
  return "params" in tensor;
}

/** Index of the first NaN or ±Infinity, or −1. */
export function firstNonFinite(x: ArrayLike<number>): number {
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i])) return i;
  }
  return -1;
}

/** The error for a tensor that holds NaN or ±Infinity: names the tensor and the first index. */
export function nonFiniteError(where: string, x: ArrayLike<number>): QuantError {
  const index = firstNonFinite(x);
  return new QuantError("non-finite", `${where}: expected finite values, got ${x[index]} at index ${index}`, {
    index,
    value: x[index],
  });
}
