import type { Shape } from "../core/shape.js";
import type { WeightedNode } from "./types.js";

/**
 * The shape in which a node's weights have one axis of output channels, and that axis.
 *
 *     conv2d           [kh, kw, in, out]          3
 *     depthwiseConv2d  [kh, kw, 1, in·multiplier] 3
 *     dense            [in, out]                  1
 */
export function weightsView({ op, weightsShape }: WeightedNode): { readonly shape: Shape; readonly axis: number } {
  if (op !== "depthwiseConv2d") return { shape: weightsShape, axis: weightsShape.length - 1 };
  const [kh, kw, inputs, multiplier] = weightsShape;
  return { shape: [kh, kw, 1, inputs * multiplier], axis: 3 };
}
