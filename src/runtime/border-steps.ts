import type { LayerStep } from "./layer-step.js";
import { isDense, type TensorLayout } from "./tensor-layout.js";

/**
 * Fills the border of a tensor with its zero point: above, between the rows, below.
 *
 * What lies on the right of a row and on the left of the next are one piece.
 */
export function fillSteps(tensor: string, layout: TensorLayout, zeroPoint: number): LayerStep[] {
  const { images, height, width, border, pixelBytes, rowBytes, imageBytes, origin } = layout;
  if (isDense(layout)) return [];
  const fill = (offset: number, rows: number, columns: number): LayerStep[] =>
    rows === 0 || columns === 0
      ? []
      : [
          {
            node: tensor,
            kernel: "fillRows",
            x: { tensor, offset },
            y: { tensor, offset },
            numbers: { images, yImageBytes: imageBytes, rows, columns, yRowBytes: rowBytes, zeroPoint },
            scratchBytes: 0,
            macs: 0,
          },
        ];
  const afterRow = origin + width * pixelBytes;
  return [
    ...fill(0, 1, origin),
    ...fill(afterRow, height - 1, (border.left + border.right) * pixelBytes),
    ...fill(afterRow + (height - 1) * rowBytes, 1, border.right * pixelBytes + border.bottom * rowBytes),
  ];
}

/** Copies a tensor, or its codes in another shape where one of the two has no border. */
export function copySteps(from: string, source: TensorLayout, to: string, target: TensorLayout): LayerStep[] {
  const bordered = isDense(source) ? target : source;
  const { images, height, width, pixelBytes } = bordered;
  const columns = width * pixelBytes;
  const along = (layout: TensorLayout) =>
    isDense(layout) ? { image: height * columns, row: columns } : { image: layout.imageBytes, row: layout.rowBytes };
  return [
    {
      node: to,
      kernel: "copyRows",
      x: { tensor: from, offset: source.origin },
      y: { tensor: to, offset: target.origin },
      numbers: {
        images,
        xImageBytes: along(source).image,
        yImageBytes: along(target).image,
        rows: height,
        columns,
        xRowBytes: along(source).row,
        yRowBytes: along(target).row,
      },
      scratchBytes: 0,
      macs: 0,
    },
  ];
}
