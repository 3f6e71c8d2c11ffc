import * as size from "../core/conv-geometry";

/**
 * Gradient of a 2D convolution for its weights.
 *
 *     dw[i, j, c, o] = sum over n, r, q of x[n, r*sh + i*dh - pt, q*sw + j*dw - pl, c] * dy[n, r, q, o]
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   x         f32[batch, inHeight, inWidth, inChannels]                      read
 *   dy        f32[batch, outHeight, outWidth, outChannels]                   read
 *   dw        f32[kernelHeight, kernelWidth, inChannels, outChannels]        written
 *   geometry  i32[16], see core/conv-geometry                                read
 *   scratch   conv2dBackpropFilterScratch(geometry) bytes, 16-byte aligned   written
 *
 * A matrix product [taps, pixels] x [pixels, outChannels]: tap k = (i, j, c) reads the image at a fixed offset from the
 * pixel's own place, which a table holds, so that four taps of any kind make a tile. A tile is 4 taps x 8 output channels
 * in 8 registers, summed over some output rows of one image, then added to the total. Images that need a border, and
 * channels that do not come in eights, are copied once with zeros around, so the loop knows no edges:
 *
 *   scratch  | offsets i32[taps4] | total f32[taps4, channels8] | rows of x | rows of dy |
 *
 * where total, x and dy are there only when dw, x or dy cannot be used in place.
 *
 * Rounding: float32 sums in the order above; within 1e-5 of the exact value, relative to the largest.
 * Errors: none here; the debug build asserts.
 */
export function conv2dBackpropFilterF32(x: usize, dy: usize, dw: usize, geometry: usize, scratch: usize): void {
  const width = size.inWidth(geometry);
  const height = size.inHeight(geometry);
  const channels = size.inChannels(geometry);
  const outHeight = size.outHeight(geometry);
  const outWidth = size.outWidth(geometry);
  const outs = size.outChannels(geometry);
  const rowsAtATime = size.rowsAtATime(geometry);
  const strideHeight = size.strideHeight(geometry);
  const padTop = size.padTop(geometry);
  const padLeft = size.padLeft(geometry);
  const reach = (size.kernelHeight(geometry) - 1) * size.dilationHeight(geometry) + 1; // rows under one window
  const wide =
    (outWidth - 1) * size.strideWidth(geometry) + (size.kernelWidth(geometry) - 1) * size.dilationWidth(geometry) + 1;
  const tall = (outHeight - 1) * strideHeight + reach;
  assert(rowsAtATime > 0 && padTop >= 0 && padLeft >= 0);

  const taps = size.kernelHeight(geometry) * size.kernelWidth(geometry) * channels;
  const taps4 = (taps + 3) & ~3;
  const outs8 = (outs + 7) & ~7;
  const whole = taps == taps4 && outs == outs8;
  const bordered = padTop > 0 || padLeft > 0 || tall > height || wide > width;
  const line = bordered ? wide : width; // pixels from one row of the image to the next
  const total = whole ? dw : scratch + (taps4 << 2);
  let copies = scratch + (taps4 << 2) + (whole ? 0 : (taps4 * outs8) << 2);
  const xRows = copies;
  if (bordered) copies += (((min(rowsAtATime, outHeight) - 1) * strideHeight + reach) * wide * channels) << 2;
  const dyRows = copies;

  tapOffsets(geometry, scratch, taps4, line);
  memory.fill(total, 0, (taps4 * outs8) << 2);
  for (let n = 0; n < size.batch(geometry); ++n) {
    for (let r = 0; r < outHeight; r += rowsAtATime) {
      const rows = min(rowsAtATime, outHeight - r);
      const top = r * strideHeight - padTop;
      let image = x + ((n * height * width * channels) << 2);
      let gradient = dy + (((n * outHeight + r) * outWidth * outs) << 2);
      if (bordered) {
        copyBordered(image, xRows, geometry, top, (rows - 1) * strideHeight + reach, wide);
        image = xRows;
      } else {
        image += (top * width * channels) << 2;
      }
      if (outs != outs8) {
        copyWidened(gradient, dyRows, rows * outWidth, outs, outs8);
        gradient = dyRows;
      }
      const pixelBytes = (size.strideWidth(geometry) * channels) << 2;
      const rowBytes = (strideHeight * line * channels) << 2;
      for (let k = 0; k < taps4; k += 4) {
        const offsets = scratch + (k << 2);
        for (let o = 0; o < outs8; o += 8) {
          const sum = total + ((k * outs8 + o) << 2);
          addTile(image, gradient + (o << 2), sum, offsets, rows, outWidth, pixelBytes, rowBytes, outs8 << 2);
        }
      }
    }
  }
  if (whole) return;
  for (let k = 0; k < taps; ++k) {
    memory.copy(dw + ((k * outs) << 2), total + ((k * outs8) << 2), outs << 2);
  }
}

/** Byte offset of each tap from its pixel; taps past the end repeat tap 0, so that they read inside of the image. */
function tapOffsets(geometry: usize, table: usize, taps4: i32, line: i32): void {
  const channels = size.inChannels(geometry);
  const end = table + (taps4 << 2);
  for (let i = 0; i < size.kernelHeight(geometry); ++i) {
    for (let j = 0; j < size.kernelWidth(geometry); ++j) {
      const place = (i * size.dilationHeight(geometry) * line + j * size.dilationWidth(geometry)) * channels;
      for (let c = 0; c < channels; ++c) {
        store<i32>(table, (place + c) << 2);
        table += 4;
      }
    }
  }
  for (; table < end; table += 4) store<i32>(table, 0);
}

/** Copies `rows` rows of an image from row `top` and column -padLeft on, `wide` pixels each; outside there are zeros. */
function copyBordered(image: usize, to: usize, geometry: usize, top: i32, rows: i32, wide: i32): void {
  const pixel = size.inChannels(geometry) << 2;
  const width = size.inWidth(geometry);
  const left = min(size.padLeft(geometry), wide);
  const inside = max(min(width, wide - left), 0);
  for (let y = top; y < top + rows; ++y) {
    if (y < 0 || y >= size.inHeight(geometry)) {
      memory.fill(to, 0, wide * pixel);
    } else {
      memory.fill(to, 0, left * pixel);
      memory.copy(to + left * pixel, image + y * width * pixel, inside * pixel);
      memory.fill(to + (left + inside) * pixel, 0, (wide - left - inside) * pixel);
    }
    to += wide * pixel;
  }
}

/** Copies pixels of `channels` floats to pixels of `wider` floats; the added ones are zeros. */
function copyWidened(from: usize, to: usize, pixels: i32, channels: i32, wider: i32): void {
  for (; pixels > 0; --pixels) {
    for (let c = 0; c < wider; ++c) {
      let value: f32 = 0;
      if (c < channels) {
        value = load<f32>(from);
        from += 4;
      }
      store<f32>(to, value);
      to += 4;
    }
  }
}

/** Adds the products of four taps with eight output channels, over `rows` rows, to the total. */
function addTile(
  image: usize,
  dy: usize,
  total: usize,
  offsets: usize,
  rows: i32,
  outWidth: i32,
  pixelBytes: i32,
  rowBytes: i32,
  dyBytes: i32,
): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  do {
    let a = image + load<i32>(offsets);
    let b = image + load<i32>(offsets, 4);
    let c = image + load<i32>(offsets, 8);
    let d = image + load<i32>(offsets, 12);
    const end = dy + outWidth * dyBytes;
    do {
      const y0 = v128.load(dy);
      const y1 = v128.load(dy, 16);
      let tap = v128.load32_splat(a);
      a0 = f32x4.add(a0, f32x4.mul(tap, y0));
      a1 = f32x4.add(a1, f32x4.mul(tap, y1));
      tap = v128.load32_splat(b);
      b0 = f32x4.add(b0, f32x4.mul(tap, y0));
      b1 = f32x4.add(b1, f32x4.mul(tap, y1));
      tap = v128.load32_splat(c);
      c0 = f32x4.add(c0, f32x4.mul(tap, y0));
      c1 = f32x4.add(c1, f32x4.mul(tap, y1));
      tap = v128.load32_splat(d);
      d0 = f32x4.add(d0, f32x4.mul(tap, y0));
      d1 = f32x4.add(d1, f32x4.mul(tap, y1));
      a += pixelBytes;
      b += pixelBytes;
      c += pixelBytes;
      d += pixelBytes;
      dy += dyBytes;
    } while (dy != end);
    image += rowBytes;
  } while (--rows > 0);
  addPair(total, a0, a1);
  total += dyBytes;
  addPair(total, b0, b1);
  total += dyBytes;
  addPair(total, c0, c1);
  total += dyBytes;
  addPair(total, d0, d1);
}

// @ts-ignore: decorator
@inline function addPair(at: usize, low: v128, high: v128): void {
  v128.store(at, f32x4.add(v128.load(at), low));
  v128.store(at, f32x4.add(v128.load(at, 16), high), 16);
}
