// Sizes of a 2D convolution or pooling, behind one pointer: 16 words of i32, filled by src/wasm/conv-geometry.ts.
//
//   offset  word
//        0  batch
//        4  inHeight        12  inChannels
//        8  inWidth
//       16  outHeight       24  outChannels      depthwise: inChannels * multiplier; pooling: inChannels
//       20  outWidth
//       28  kernelHeight    32  kernelWidth      of a pooling: its window
//       36  strideHeight    40  strideWidth
//       44  dilationHeight  48  dilationWidth
//       52  padTop          56  padLeft
//       60  rows            output rows that conv2dBackpropFilterF32 takes at a time; others do not read it
//
// Output (r, q) at tap (i, j) reads input (r * strideHeight + i * dilationHeight - padTop,
// q * strideWidth + j * dilationWidth - padLeft), where that lies inside of the image.

// @ts-ignore: decorator
@inline export function batch(g: usize): i32 {
  return load<i32>(g);
}
// @ts-ignore: decorator
@inline export function inHeight(g: usize): i32 {
  return load<i32>(g, 4);
}
// @ts-ignore: decorator
@inline export function inWidth(g: usize): i32 {
  return load<i32>(g, 8);
}
// @ts-ignore: decorator
@inline export function inChannels(g: usize): i32 {
  return load<i32>(g, 12);
}
// @ts-ignore: decorator
@inline export function outHeight(g: usize): i32 {
  return load<i32>(g, 16);
}
// @ts-ignore: decorator
@inline export function outWidth(g: usize): i32 {
  return load<i32>(g, 20);
}
// @ts-ignore: decorator
@inline export function outChannels(g: usize): i32 {
  return load<i32>(g, 24);
}
// @ts-ignore: decorator
@inline export function kernelHeight(g: usize): i32 {
  return load<i32>(g, 28);
}
// @ts-ignore: decorator
@inline export function kernelWidth(g: usize): i32 {
  return load<i32>(g, 32);
}
// @ts-ignore: decorator
@inline export function strideHeight(g: usize): i32 {
  return load<i32>(g, 36);
}
// @ts-ignore: decorator
@inline export function strideWidth(g: usize): i32 {
  return load<i32>(g, 40);
}
// @ts-ignore: decorator
@inline export function dilationHeight(g: usize): i32 {
  return load<i32>(g, 44);
}
// @ts-ignore: decorator
@inline export function dilationWidth(g: usize): i32 {
  return load<i32>(g, 48);
}
// @ts-ignore: decorator
@inline export function padTop(g: usize): i32 {
  return load<i32>(g, 52);
}
// @ts-ignore: decorator
@inline export function padLeft(g: usize): i32 {
  return load<i32>(g, 56);
}
// @ts-ignore: decorator
@inline export function rowsAtATime(g: usize): i32 {
  return load<i32>(g, 60);
}

/** First output position whose input `at * stride + offset` is not negative. */
export function firstInside(offset: i32, stride: i32): i32 {
  return offset >= 0 ? 0 : (stride - 1 - offset) / stride;
}

/** One past the last output position, of `count`, whose input `at * stride + offset` is below `size`. */
export function endInside(offset: i32, stride: i32, size: i32, count: i32): i32 {
  return offset >= size ? 0 : min((size - 1 - offset) / stride + 1, count);
}
