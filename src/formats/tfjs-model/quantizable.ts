import type { Shape } from "../../core/shape.js";

/** A weight that a quantizer may quantize, and where its output channels are. */
export interface QuantizableWeight {
  /** Name in the weight specs. */
  readonly name: string;
  /** Name and kind of the layer (layers model) or node (graph model) that uses it. */
  readonly layer: { readonly name: string; readonly type: string };
  /** The shape whose `axis` is the output channels; a depthwise [kh, kw, in, mult] is viewed as [kh, kw, 1, in·mult]. */
  readonly viewShape: Shape;
  readonly axis: number;
}

/** The view of a depthwise kernel [kh, kw, in, mult]. */
export function depthwiseView([kh, kw, inputs, multiplier]: Shape): Shape {
  return [kh, kw, 1, inputs * multiplier];
}
