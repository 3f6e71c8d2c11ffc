import * as size from "../core/conv-geometry";

/**
 * Gradient of a depthwise 2D convolution for its input.
 *
 *     dx[n, y, x, c] = sum over i, j, m of dy[n, r, q, c*multiplier + m] * w[i, j, c, m],
 *     y = r*sh + i*dh - pt,  x = q*sw + j*dw - pl
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy        f32[batch, outHeight, outWidth, outChannels]                          read
 *   w         f32[kernelHeight, kernelWidth, inChannels, multiplier]                read
 *   dx        f32[batch, inHeight, inWidth, inChannels]                             written
 *   geometry  i32[16], see core/conv-geometry; outChannels = inChannels*multiplier  read
 *   scratch   depthwiseBackpropInputScratch(geometry) bytes, 16-byte aligned        written
 *
 * With a multiplier above 1 the sums are made in scratch as if each channel were that many, then added up.
 *
 * Rounding: float32 sums in the order above; within 1e-5 of the exact value, relative to the largest.
 * Errors: none here; the debug build asserts.
 */
export function depthwiseBackpropInputF32(dy: usize, w: usize, dx: usize, geometry: usize, scratch: usize): void {
  const channels = size.inChannels(geometry);
  const outs = size.outChannels(geometry);
  const values = size.inHeight(geometry) * size.inWidth(geometry) * channels;
  const gradientBytes = (size.outHeight(geometry) * size.outWidth(geometry) * outs) << 2;
  assert(channels > 0 && outs % channels == 0);
  const multiplier = outs / channels;
  for (let n = 0; n < size.batch(geometry); ++n) {
    const sums = multiplier == 1 ? dx : scratch;
    memory.fill(sums, 0, (values * multiplier) << 2);
    addImage(dy, w, sums, geometry);
    if (multiplier > 1) addRepeated(sums, dx, values, multiplier);
    dx += values << 2;
    dy += gradientBytes;
  }
}

/** to[i] = the sum of `times` floats. */
function addRepeated(from: usize, to: usize, n: i32, times: i32): void {
  for (; n > 0; --n) {
    let sum: f32 = 0;
    for (let m = 0; m < times; ++m) {
      sum += load<f32>(from);
      from += 4;
    }
    store<f32>(to, sum);
    to += 4;
  }
}

function addImage(dy: usize, w: usize, dx: usize, geometry: usize): void {
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
          dy + (r * outWidth + q0) * pixel,
          w + (i * size.kernelWidth(geometry) + j) * pixel,
          dx + (y * width + q0 * strideWidth + left) * pixel,
          q1 - q0,
          pixel,
          strideWidth * pixel,
        );
      }
    }
  }
}

/** Adds `pixels` pixels of dy times the weights of one tap to pixels of dx that are `step` bytes apart. */
function addRow(dy: usize, w: usize, dx: usize, pixels: i32, pixel: i32, step: i32): void {
  let c = 0; // byte offset of the channel
  for (; c + 32 <= pixel; c += 32) {
    let x = dx + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    const w0 = v128.load(w + c);
    const w1 = v128.load(w + c, 16);
    do {
      v128.store(x, f32x4.add(v128.load(x), f32x4.mul(v128.load(y), w0)));
      v128.store(x, f32x4.add(v128.load(x, 16), f32x4.mul(v128.load(y, 16), w1)), 16);
      x += step;
      y += pixel;
    } while (y != end);
  }
  for (; c + 16 <= pixel; c += 16) {
    let x = dx + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    const w0 = v128.load(w + c);
    do {
      v128.store(x, f32x4.add(v128.load(x), f32x4.mul(v128.load(y), w0)));
      x += step;
      y += pixel;
    } while (y != end);
  }
  for (; c < pixel; c += 4) {
    let x = dx + c;
    let y = dy + c;
    const end = y + pixels * pixel;
    const w0 = load<f32>(w + c);
    do {
      store<f32>(x, load<f32>(x) + load<f32>(y) * w0);
      x += step;
      y += pixel;
    } while (y != end);
  }
}
