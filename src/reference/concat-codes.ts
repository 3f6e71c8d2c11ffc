import { channelView, type Shape } from "../core/shape.js";

/**
 * Tensors joined along an axis, codes untouched: all have the same parameters.
 *
 * Inputs in their shapes, equal but along the axis (≥ 0); out, written, is as long as they are together.
 */
export function concatCodes(
  inputs: readonly Int8Array[],
  shapes: readonly Shape[],
  axis: number,
  out: Int8Array,
): void {
  const rows = shapes.map((shape) => shape[axis] * channelView(shape, axis).inner);
  const { outer } = channelView(shapes[0], axis);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const [i, input] of inputs.entries()) {
      out.set(input.subarray(o * rows[i], (o + 1) * rows[i]), at);
      at += rows[i];
    }
  }
}
