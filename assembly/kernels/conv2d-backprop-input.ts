import * as size from "../core/conv-geometry";

/**
 * Gradient of a 2D convolution for its input.
 *
 *     dx[n, y, x, c] = sum over i, j, o of dy[n, r, q, o] * w[i, j, c, o],   y = r*sh + i*dh - pt,  x = q*sw + j*dw - pl
 *
 * Shapes (row-major; pointers are byte offsets in linear memory):
 *   dy        f32[batch, outHeight, outWidth, outChannels]                  read
 *   w         f32[kernelHeight, kernelWidth, inChannels, outChannels]       read
 *   dx        f32[batch, inHeight, inWidth, inChannels]                     written
 *   geometry  i32[16], see core/conv-geometry                               read
 *   scratch   conv2dBackpropInputScratch(geometry) bytes, 16-byte aligned   written
 *
 * One matrix product per tap, [pixels, outChannels] x [outChannels, inChannels], added into the image. A tile is
 * 4 pixels x 8 input channels in 8 registers; the pixels of a tap are taken in flat order across rows, so that only the
 * last group of an image is short: it repeats its first pixel, which is read before and written after the sums, so that
 * the same values are stored again.
 *
 *   scratch  | weights f32[taps, outChannels, channels8] | group i32[8]: 4 addresses in dy, 4 in dx | image of dx |
 *
 * where the image is there only when inChannels is no multiple of 8.
 *
 * Rounding: float32 sums in the order above; within 1e-5 of the exact value, relative to the largest.
 * Errors: none here; the debug build asserts.
 */
export function conv2dBackpropInputF32(dy: usize, w: usize, dx: usize, geometry: usize, scratch: usize): void {
  const width = size.inWidth(geometry);
  const height = size.inHeight(geometry);
  const channels = size.inChannels(geometry);
  const channels8 = (channels + 7) & ~7;
  const outs = size.outChannels(geometry);
  const outPixels = size.outHeight(geometry) * size.outWidth(geometry);
  const taps = size.kernelHeight(geometry) * size.kernelWidth(geometry);
  const group = scratch + ((taps * outs * channels8) << 2);
  const image = group + 32;
  assert(outs > 0 && channels > 0);

  transposeWeights(w, scratch, taps, channels, channels8, outs);
  for (let n = 0; n < size.batch(geometry); ++n) {
    const to = dx + ((n * height * width * channels) << 2);
    const sums = channels == channels8 ? to : image;
    memory.fill(sums, 0, (height * width * channels8) << 2);
    addTaps(dy + ((n * outPixels * outs) << 2), scratch, sums, geometry, group, channels8);
    if (sums != to) copyNarrowed(sums, to, height * width, channels8, channels);
  }
}

/** w[tap, c, o] to [tap, o, c8], zeros behind the last channel. */
function transposeWeights(w: usize, to: usize, taps: i32, channels: i32, channels8: i32, outs: i32): void {
  for (let tap = 0; tap < taps; ++tap) {
    for (let o = 0; o < outs; ++o) {
      for (let c = 0; c < channels8; ++c) {
        store<f32>(to, c < channels ? load<f32>(w + (((tap * channels + c) * outs + o) << 2)) : 0);
        to += 4;
      }
    }
  }
}

/** Copies pixels of `wide` floats to pixels of `channels` floats. */
function copyNarrowed(from: usize, to: usize, pixels: i32, wide: i32, channels: i32): void {
  for (; pixels > 0; --pixels) {
    for (let c = 0; c < channels; ++c) {
      store<f32>(to, load<f32>(from + (c << 2)));
      to += 4;
    }
    from += wide << 2;
  }
}

function addTaps(dy: usize, weights: usize, dx: usize, geometry: usize, group: usize, channels8: i32): void {
  const width = size.inWidth(geometry);
  const outWidth = size.outWidth(geometry);
  const strideHeight = size.strideHeight(geometry);
  const strideWidth = size.strideWidth(geometry);
  const outs = size.outChannels(geometry);
  for (let i = 0; i < size.kernelHeight(geometry); ++i) {
    const top = i * size.dilationHeight(geometry) - size.padTop(geometry);
    const r0 = size.firstInside(top, strideHeight);
    const r1 = size.endInside(top, strideHeight, size.inHeight(geometry), size.outHeight(geometry));
    for (let j = 0; j < size.kernelWidth(geometry); ++j) {
      const left = j * size.dilationWidth(geometry) - size.padLeft(geometry);
      const q0 = size.firstInside(left, strideWidth);
      const q1 = size.endInside(left, strideWidth, width, outWidth);
      if (r0 < r1 && q0 < q1) {
        let from = dy + (((r0 * outWidth + q0) * outs) << 2);
        let to = dx + ((((r0 * strideHeight + top) * width + q0 * strideWidth + left) * channels8) << 2);
        let q = q0;
        for (let pixels = (r1 - r0) * (q1 - q0); pixels > 0; pixels -= 4) {
          for (let p: i32 = 0; p < 4; ++p) {
            if (p < pixels) {
              store<usize>(group + (p << 2), from);
              store<usize>(group + (p << 2), to, 16);
              from += outs << 2;
              to += (strideWidth * channels8) << 2;
              if (++q == q1) {
                q = q0;
                from += ((outWidth - (q1 - q0)) * outs) << 2;
                to += ((strideHeight * width - (q1 - q0) * strideWidth) * channels8) << 2;
              }
            } else {
              store<usize>(group + (p << 2), load<usize>(group));
              store<usize>(group + (p << 2), load<usize>(group, 16), 16);
            }
          }
          for (let c = 0; c < channels8 << 2; c += 32) addTile(group, weights + c, c, outs, channels8 << 2);
        }
      }
      weights += (outs * channels8) << 2;
    }
  }
}

/** Adds the product of four pixels of dy with one tap's weights to eight channels, from byte c on, of four pixels of dx. */
function addTile(group: usize, weights: usize, c: usize, outs: i32, weightBytes: i32): void {
  let a = load<usize>(group);
  let b = load<usize>(group, 4);
  let p = load<usize>(group, 8);
  let q = load<usize>(group, 12);
  let a0 = v128.load(load<usize>(group, 16) + c);
  let a1 = v128.load(load<usize>(group, 16) + c, 16);
  let b0 = v128.load(load<usize>(group, 20) + c);
  let b1 = v128.load(load<usize>(group, 20) + c, 16);
  let p0 = v128.load(load<usize>(group, 24) + c);
  let p1 = v128.load(load<usize>(group, 24) + c, 16);
  let q0 = v128.load(load<usize>(group, 28) + c);
  let q1 = v128.load(load<usize>(group, 28) + c, 16);
  const end = a + (outs << 2);
  do {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    let g = v128.load32_splat(a);
    a0 = f32x4.add(a0, f32x4.mul(g, w0));
    a1 = f32x4.add(a1, f32x4.mul(g, w1));
    g = v128.load32_splat(b);
    b0 = f32x4.add(b0, f32x4.mul(g, w0));
    b1 = f32x4.add(b1, f32x4.mul(g, w1));
    g = v128.load32_splat(p);
    p0 = f32x4.add(p0, f32x4.mul(g, w0));
    p1 = f32x4.add(p1, f32x4.mul(g, w1));
    g = v128.load32_splat(q);
    q0 = f32x4.add(q0, f32x4.mul(g, w0));
    q1 = f32x4.add(q1, f32x4.mul(g, w1));
    weights += weightBytes;
    a += 4;
    b += 4;
    p += 4;
    q += 4;
  } while (a != end);
  storePair(load<usize>(group, 16) + c, a0, a1);
  storePair(load<usize>(group, 20) + c, b0, b1);
  storePair(load<usize>(group, 24) + c, p0, p1);
  storePair(load<usize>(group, 28) + c, q0, q1);
}

// @ts-ignore: decorator
@inline function storePair(at: usize, low: v128, high: v128): void {
  v128.store(at, low);
  v128.store(at, high, 16);
}
