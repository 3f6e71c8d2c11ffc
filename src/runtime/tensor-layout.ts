import { sizeOf } from "../core/shape.js";
import type { QuantizedTensor } from "../graph/quantized-graph.js";

/** Elements around the map of a tensor that hold its zero point, so that kernels need no code for edges. */
export interface Border {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export const NO_BORDER: Border = { top: 0, bottom: 0, left: 0, right: 0 };

/**
 * How a tensor lies in memory: images of rows of pixels of channels, each image with its border.
 *
 * Offsets are in bytes from the tensor's own first byte. Tensors of other ranks than 4 are one row of pixels, their last axis being
 * the channels; they never have a border.
 */
export interface TensorLayout {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly border: Border;
  readonly elementBytes: number;
  readonly pixelBytes: number;
  readonly rowBytes: number;
  readonly imageBytes: number;
  /** Of the first element. */
  readonly origin: number;
  /** All images with their borders. */
  readonly bytes: number;
}

export function tensorLayout({ dtype, shape }: QuantizedTensor, border: Border = NO_BORDER): TensorLayout {
  const size = sizeOf(shape);
  const channels = shape.at(-1) ?? 1;
  const [images, height, width] = shape.length === 4 ? shape : [1, 1, channels === 0 ? 0 : size / channels];
  const elementBytes = dtype === "int8" ? 1 : 4;
  const pixelBytes = channels * elementBytes;
  const rowBytes = (border.left + width + border.right) * pixelBytes;
  const imageBytes = (border.top + height + border.bottom) * rowBytes;
  return {
    images,
    height,
    width,
    channels,
    border,
    elementBytes,
    pixelBytes,
    rowBytes,
    imageBytes,
    origin: border.top * rowBytes + border.left * pixelBytes,
    bytes: images * imageBytes,
  };
}

/** Whether the elements lie one behind the other. */
export function isDense({ border }: TensorLayout): boolean {
  return border.top === 0 && border.bottom === 0 && border.left === 0 && border.right === 0;
}

/** The border that serves both. */
export function widerBorder(a: Border, b: Border): Border {
  return {
    top: Math.max(a.top, b.top),
    bottom: Math.max(a.bottom, b.bottom),
    left: Math.max(a.left, b.left),
    right: Math.max(a.right, b.right),
  };
}
