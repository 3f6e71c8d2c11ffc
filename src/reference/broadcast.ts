import type { Shape } from "../core/shape.js";

/**
 * Where each element of a broadcast tensor comes from: index[i] is the element of `from` that stands at element i of `to`.
 *
 * Both row-major; `from` is aligned with the last axes of `to`, and each of its sizes is 1 or that of `to`.
 */
export function broadcastIndex(from: Shape, to: Shape): Int32Array {
  let index = Int32Array.of(0);
  let stride = from.reduce((product, size) => product * size, 1);
  for (const [axis, size] of to.entries()) {
    const own = from[axis - (to.length - from.length)] ?? 1;
    stride /= own;
    const step = own === 1 ? 0 : stride;
    const outer = index;
    index = new Int32Array(outer.length * size).map((_, i) => outer[Math.floor(i / size)] + (i % size) * step);
  }
  return index;
}
