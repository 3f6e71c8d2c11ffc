import { QuantError } from "../core/errors.js";
import { checkShape } from "../core/shape.js";
import type { StateDict } from "../core/tensor.js";
import { checkFloats } from "../wasm/arguments.js";

/**
 * Checks that a state dict holds at least one tensor and that the data of each fits its shape.
 *
 * Throws TypeError or RangeError naming the tensor, QuantError `invalid-model` for a dict without any.
 */
export function checkStateDict(where: string, state: StateDict): void {
  if (typeof state !== "object" || state === null) {
    throw new TypeError(`${where}: expected a state dict { name: { data, shape } }, got ${String(state)}`);
  }
  const entries = Object.entries(state);
  if (entries.length === 0) throw new QuantError("invalid-model", `${where}: expected at least one tensor, got none`);
  for (const [name, tensor] of entries) {
    const place = `${where}: "${name}"`;
    if (typeof tensor !== "object" || tensor === null) {
      throw new TypeError(`${place}: expected { data, shape }, got ${String(tensor)}`);
    }
    checkFloats(place, "data", tensor.data);
    checkShape(place, tensor.shape, tensor.data.length);
  }
}
