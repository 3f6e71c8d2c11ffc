import type { ValueShape } from "./types.js";

/** Whether two shapes are the same, unknown sizes included. */
export function sameShape(a: ValueShape, b: ValueShape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
