import type { WeightLayout } from "../core/granularity.js";
import { resolveAxis, type Shape, sizeOf } from "../core/shape.js";
import type { NaiveGrid } from "./naive.js";
import type { WeightGrid } from "./quantize-weight.js";

/** How the weights of a layer are quantized, and in whose layout they are. */
export interface WeightRule extends NaiveGrid {
  readonly layout: WeightLayout;
}

/** The grid of one weight of a state dict. */
export interface StateDictGrid extends WeightGrid {
  /** Shape in which `axis` counts, where it is not the weight's own: the view of a depthwise kernel. */
  readonly viewShape?: Shape;
}

/** Checks a layout's name; throws TypeError. */
export function checkWeightLayout(where: string, layout: WeightLayout): void {
  if (layout !== "pytorch" && layout !== "tfjs") {
    throw new TypeError(`${where}: expected layout "pytorch" or "tfjs", got ${String(layout)}`);
  }
}

/**
 * Whether and how a float tensor of a state dict is quantized, from its name, shape and, where known, kind of layer.
 *
 * Every float tensor of rank ≥ 2 is a weight; biases, norms and scalars, of a lower rank, are not, nor is one without
 * elements. The output channels are
 *   pytorch  axis 0; 1 of a transposed convolution (`type` ConvTranspose2d …)
 *   tfjs     the last axis; the last but one of a transposed convolution (`type` Conv2DTranspose …); in·mult of a depthwise
 *            kernel [kh, kw, in, mult] (`type` DepthwiseConv2D, or the name Keras gives it, …depthwise_kernel)
 * unless the rule names an axis of the weight's own shape; the RangeError for one that it lacks begins with `name`.
 *
 * Source: NUMERICS, "Channel axis" in docs/numerics.md.
 */
export function weightGrid(
  name: string,
  shape: Shape,
  type: string | undefined,
  { bits, granularity, layout, axis }: WeightRule,
): StateDictGrid | undefined {
  const rank = shape.length;
  if (rank < 2 || sizeOf(shape) === 0) return undefined;
  if (axis !== undefined) return { bits, granularity, axis: resolveAxis(name, axis, rank) };
  const transposed = type !== undefined && /transpose/i.test(type);
  if (layout === "pytorch") return { bits, granularity, axis: transposed ? 1 : 0 };
  if (transposed) return { bits, granularity, axis: rank - 2 };
  const depthwise = /depthwise/i.test(type ?? "") || name.endsWith("depthwise_kernel");
  if (!depthwise || rank !== 4) return { bits, granularity, axis: rank - 1 };
  const [kh, kw, inputs, multiplier] = shape;
  if (multiplier === 1) return { bits, granularity, axis: 2 };
  return { bits, granularity, axis: 3, viewShape: [kh, kw, 1, inputs * multiplier] };
}
