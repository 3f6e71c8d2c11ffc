import * as size from "../core/conv-geometry";

/**
 * Gradient of a depthwise 2D convolution for its weights.
 *
 *     dw[i, j, c, m] = sum over n, r, q of x[n, r*sh + i*dh - pt, q*sw + j*dw - pl, c] * dy[n, r, q, c*multiplier + m]
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   x         f32[batch, inHeight, inWidth, inChannels]                             read
 *   dy        f32[batch, outHeight, outWidth, outChannels]                          read
 *   dw        f32[kernelHeight, kernelWidth, inChannels, multiplier]                written
 *   geometry  i32[16], see core/conv-geometry; outChannels = inChannels*multiplier  read
 *   scratch   depthwiseBackpropFilterScratch(geometry) bytes, 16-byte aligned       written
 *
 * With a multiplier above 1 each image is first copied with its channels repeated, which leaves the case of multiplier 1.
 * Sums run along one output row, 16 channels in 4 registers, then are added to dw.
 *
 * Rounding: float32 sums in the order above; within 1e-5 of the exact value, relative to the largest.
 * Errors: none here; the debug build asserts.
 */
export function depthwiseBackpropFilterF32(x: usize, dy: usize, dw: usize, geometry: usize, scratch: usize): void {
  const channels = size.inChannels(geometry);
  const outs = size.outChannels(geometry);
  const pixels = size.inHeight(geometry) * size.inWidth(geometry);
  const gradientBytes = (size.outHeight(geometry) * size.outWidth(geometry) * outs) << 2;
  assert(channels > 0 && outs % channels == 0);
  memory.fill(dw, 0, (size.kernelHeight(geometry) * size.kernelWidth(geometry) * outs) << 2);
  for (let n = 0; n < size.batch(geometry); ++n) {
    let image = x;
    if (outs != channels) {
      repeatChannels(x, scratch, pixels * channels, outs / channels);
      image = scratch;
    }
    addImage(image, dy, dw, geometry);
    x += (pixels * channels) << 2;
    dy += gradientBytes;
  }
}

/** Writes each of n floats `times` times. */
function repeatChannels(from: usize, to: usize, n: i32, times: i32): void {
  for (; n > 0; --n) {
    const value = load<f32>(from);
    from += 4;
    for (let m = 0; m < times; ++m) {
      store<f32>(to, value);
      to += 4;
    }
  }
}

function addImage(image: usize, dy: usize, dw: usize, geometry: usize): void {
  const width = size.inWidth(geometry);
  const height = size.inHeight(geometry);
  const outWidth = size.outWidth(geometry);
  const strideWidth = size.strideWidth(geometry);
  const pixel = size.outChannels(geometry) << 2; // bytes
  for (let r = 0; r < size.outHeight(geometry); ++r) {
    for (let i = 0; i < size.kernelHeight(geometry); ++i) {
      const y = r * size.strideHeight(geometry) + i * size.dilationHeight(geometry) - size.padTop(geometry);
      if (y < 0 || y >= height) continue;
      for (let j = 0; j < size.kernelWidth(geometry); ++j) {
        const left = j * size.dilationWidth(geometry) - size.padLeft(geometry);
        const q0 = size.firstInside(left, strideWidth);
        const q1 = size.endInside(left, strideWidth, width, outWidth);
        if (q0 >= q1) continue;
        addRow(
          image + (y * width + q0 * strideWidth + left) * pixel,
          dy + (r * outWidth + q0) * pixel,
          dw + (i * size.kernelWidth(geometry) + j) * pixel,
          q1 - q0,
          pixel,
          strideWidth * pixel,
        );
      }
    }
  }
}

/** Adds the products of `pixels` pixels of the image, `step` bytes apart, with those of dy, channel by channel. */
function addRow(image: usize, dy: usize, dw: usize, pixels: i32, pixel: i32, step: i32): void {
  let c = 0; // byte offset of the channel
  for (; c + 64 <= pixel; c += 64) {
    let x = image + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    let a = v128.load(dw + c);
    let b = v128.load(dw + c, 16);
    let p = v128.load(dw + c, 32);
    let q = v128.load(dw + c, 48);
    do {
      a = f32x4.add(a, f32x4.mul(v128.load(x), v128.load(y)));
      b = f32x4.add(b, f32x4.mul(v128.load(x, 16), v128.load(y, 16)));
      p = f32x4.add(p, f32x4.mul(v128.load(x, 32), v128.load(y, 32)));
      q = f32x4.add(q, f32x4.mul(v128.load(x, 48), v128.load(y, 48)));
      x += step;
      y += pixel;
    } while (y != end);
    v128.store(dw + c, a);
    v128.store(dw + c, b, 16);
    v128.store(dw + c, p, 32);
    v128.store(dw + c, q, 48);
  }
  for (; c + 16 <= pixel; c += 16) {
    let x = image + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    let a = v128.load(dw + c);
    do {
      a = f32x4.add(a, f32x4.mul(v128.load(x), v128.load(y)));
      x += step;
      y += pixel;
    } while (y != end);
    v128.store(dw + c, a);
  }
  for (; c < pixel; c += 4) {
    let x = image + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    let a = load<f32>(dw + c);
    do {
      a += load<f32>(x) * load<f32>(y);
      x += step;
      y += pixel;
    } while (y != end);
    store<f32>(dw + c, a);
  }
}
