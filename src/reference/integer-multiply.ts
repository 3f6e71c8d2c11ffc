import type { Shape } from "../core/shape.js";
import { broadcastIndex } from "./broadcast.js";
import { type Requantization, requantize } from "./requantize.js";

/**
 * Product of two tensors of codes; sizes of 1 broadcast.
 *
 *     y = requantize((a − aZeroPoint)·(b − bZeroPoint))
 *
 * a and b in their shapes, out in `shapes.out`, written; the requantization has one multiplier. Overflow: none, |product| ≤ 255².
 */
export function integerMultiply(
  a: Int8Array,
  b: Int8Array,
  multiplication: { readonly aZeroPoint: number; readonly bZeroPoint: number; readonly requantization: Requantization },
  shapes: { readonly a: Shape; readonly b: Shape; readonly out: Shape },
  out: Int8Array,
): void {
  const { aZeroPoint, bZeroPoint, requantization } = multiplication;
  const aIndex = broadcastIndex(shapes.a, shapes.out);
  const bIndex = broadcastIndex(shapes.b, shapes.out);
  for (let i = 0; i < out.length; i++) {
    out[i] = requantize((a[aIndex[i]] - aZeroPoint) * (b[bIndex[i]] - bZeroPoint), requantization, 0);
  }
}
