import * as size from "../core/conv-geometry";

/**
 * Gradient of 2D max pooling.
 *
 *     dx[n, y, x, c] = sum of dy[n, r, q, c] over the windows (r, q) whose winner is (y, x)
 *
 * The winner is the first element of the window, row by row, that is greater than all before it, beginning at -Infinity:
 * of equal ones the first; NaN never; a window of NaN and -Infinity has none. Padding takes no part.
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy        f32[batch, outHeight, outWidth, channels]            read
 *   x         f32[batch, inHeight, inWidth, channels]              read
 *   dx        f32[batch, inHeight, inWidth, channels]              written
 *   geometry  i32[16], see core/conv-geometry; the kernel is the window; outChannels = inChannels   read
 *
 * Rounding: float32 sums in the order of the windows. Errors: none here; the debug build asserts.
 */
export function maxPoolGradientF32(dy: usize, x: usize, dx: usize, geometry: usize): void {
  const height = size.inHeight(geometry);
  const width = size.inWidth(geometry);
  const stepY = size.dilationHeight(geometry);
  const stepX = size.dilationWidth(geometry);
  const pixel = size.inChannels(geometry) << 2; // bytes
  const image = height * width * pixel;
  assert(size.outChannels(geometry) == size.inChannels(geometry));
  memory.fill(dx, 0, size.batch(geometry) * image);
  for (let n = 0; n < size.batch(geometry); ++n) {
    for (let r = 0; r < size.outHeight(geometry); ++r) {
      const top = r * size.strideHeight(geometry) - size.padTop(geometry);
      const i0 = size.firstInside(top, stepY);
      const i1 = size.endInside(top, stepY, height, size.kernelHeight(geometry));
      for (let q = 0; q < size.outWidth(geometry); ++q) {
        const left = q * size.strideWidth(geometry) - size.padLeft(geometry);
        const j0 = size.firstInside(left, stepX);
        const j1 = size.endInside(left, stepX, width, size.kernelWidth(geometry));
        if (i0 < i1 && j0 < j1) {
          const corner = ((top + i0 * stepY) * width + left + j0 * stepX) * pixel; // byte offset in the image
          addWindow(dy, x, dx, corner, i1 - i0, j1 - j0, stepY * width * pixel, stepX * pixel, pixel);
        }
        dy += pixel;
      }
    }
    x += image;
    dx += image;
  }
}

/** Adds dy to the winners of one window of `rows` x `columns` elements; steps between them in bytes. */
function addWindow(
  dy: usize,
  x: usize,
  dx: usize,
  corner: i32,
  rows: i32,
  columns: i32,
  rowStep: i32,
  step: i32,
  pixel: i32,
): void {
  const rowEnd = columns * step;
  const end = corner + rows * rowStep;
  let c = 0; // byte offset of the channel
  for (; c + 16 <= pixel; c += 16) {
    let greatest = f32x4.splat(-Infinity);
    let winner = i32x4.splat(-1);
    for (let row = corner; row < end; row += rowStep) {
      for (let at = row; at < row + rowEnd; at += step) {
        const value = v128.load(x + at + c);
        const greater = f32x4.gt(value, greatest);
        greatest = v128.bitselect(value, greatest, greater);
        winner = v128.bitselect(i32x4.splat(at + c), winner, greater);
      }
    }
    addTo(dx, i32x4.extract_lane(winner, 0), load<f32>(dy + c));
    addTo(dx + 4, i32x4.extract_lane(winner, 1), load<f32>(dy + c, 4));
    addTo(dx + 8, i32x4.extract_lane(winner, 2), load<f32>(dy + c, 8));
    addTo(dx + 12, i32x4.extract_lane(winner, 3), load<f32>(dy + c, 12));
  }
  for (; c < pixel; c += 4) {
    let greatest: f32 = -Infinity;
    let winner = -1;
    for (let row = corner; row < end; row += rowStep) {
      for (let at = row; at < row + rowEnd; at += step) {
        const value = load<f32>(x + at + c);
        if (value > greatest) {
          greatest = value;
          winner = at + c;
        }
      }
    }
    addTo(dx, winner, load<f32>(dy + c));
  }
}

/** Adds a gradient at a byte offset; -1 is nowhere. */
// @ts-ignore: decorator
@inline function addTo(dx: usize, winner: i32, gradient: f32): void {
  if (winner >= 0) store<f32>(dx + winner, load<f32>(dx + winner) + gradient);
}
