// How a layer is described: 48 words of i32 in linear memory, filled by src/runtime. Names and order are those of
// src/wasm/layer-words.ts.
//
// Tensors are NHWC int8. A tensor has a border as wide as any of its readers wants, filled with its zero point, so that no
// kernel has code for edges, and zero points are folded into the bias: bias - zeroPoint * (sum of weights). Steps and rows
// are therefore not what the sizes say, and are told in bytes.
//
//   word
//      0  kernel         number of the kernel (run-layers.ts)
//      1  x              address of the input below the first tap of the first output pixel
//      2  y              address of the first output pixel
//      3  images         how often to run, with x and y moved on by
//      4  xImageBytes
//      5  yImageBytes
//      6  rows           output rows
//      7  columns        output pixels in a row
//      8  xPixelBytes    from the window of a pixel to that of its right neighbour
//      9  xRowBytes      from the window of a pixel to that of the one below
//     10  yRowBytes      from one output row to the next
//     11  yPixelBytes    from one output pixel to the next: the number of output channels
//     12  weights        address of the packed weights; the kernel tells the layout
//     13  blocks         address of the channel blocks
//     14  blockCount
//     15  scratch        address of the kernel's scratch, 16-byte aligned; the kernel tells the layout
//     16  zeroPoint      of the output
//     17  qmin           least code of the output
//     18  qmax           largest code of the output
//     19  taps           address of offsets, u32: where the taps (or runs of taps) of a window lie, from its first byte
//     20  tapCount
//     21  depth          products behind one sum, as packed
//     22  groups         groups of four pixels or tiles that are packed at a time; depthwise: output rows at a time
//     23  inRowBytes     from one row of the input to the next
//     24  inChannels
//     25  run            bytes below a tap that the sum takes, an even number; elsewhere: neighbouring elements of a pixel
//     26  x2             address of the first element of the second input
//     27  x2ImageBytes
//     28  x2RowBytes
//     29  x2PixelBytes
//     30  xStep          from one element of a run to the next: 1, 0 where one serves all, or more (copyStrided)
//     31  x2Step         1 or 0
//     32  scale          f32: quantizeF32, dequantizeF32
//  33-47  not used yet
//
// Sizes mean what the names of convolutions say wherever they can: other layers walk `rows` rows of `columns` pixels of `run`
// neighbouring elements. Walks of more loops are several layers.
//
// A channel block is what eight output channels need, 128 bytes:
//
//   offset
//        0  bias           i32[8]   the zero point of the input folded in
//       32  multiplier     i32[8]   Q0.31; f32[8] for the float32 rule
//       64  factor         i32[8]   integer: 2^k that brings the channel to the block's shift; exact, twice: the shift
//       96  shift          i32      integer: of the upper half of the product
//      100  channel        i32      the first of the eight
//      104  count          i32      1..8 channels are there
//      108  rule           i32      which requantization (requantize.ts)
//      112  inChannel      i32      depthwise: input channel of the first of the eight
//      120  spread         i8[8]    depthwise: input channel of each, from inChannel on
//
// Layers without weights have one block, for any eight neighbouring elements: count is 8, or less where a run is shorter; addCodes has
// the multipliers of its inputs at 32 and 64, combineCodes the zero points of its inputs at 112 and 116.
//
// Where there are more than eight channels, the last block takes the last eight: it shares some with the one before, and no
// kernel has code for the rest of a division by eight.

/** Bytes that describe a layer. */
// @ts-ignore: decorator
@inline export const LAYER_BYTES: usize = 192;
/** Bytes of a channel block. */
// @ts-ignore: decorator
@inline export const BLOCK_BYTES: usize = 128;

// @ts-ignore: decorator
@inline export function kernel(layer: usize): i32 {
  return load<i32>(layer);
}
// @ts-ignore: decorator
@inline export function x(layer: usize): usize {
  return load<u32>(layer, 4);
}
// @ts-ignore: decorator
@inline export function y(layer: usize): usize {
  return load<u32>(layer, 8);
}
// @ts-ignore: decorator
@inline export function images(layer: usize): i32 {
  return load<i32>(layer, 12);
}
// @ts-ignore: decorator
@inline export function xImageBytes(layer: usize): i32 {
  return load<i32>(layer, 16);
}
// @ts-ignore: decorator
@inline export function yImageBytes(layer: usize): i32 {
  return load<i32>(layer, 20);
}
// @ts-ignore: decorator
@inline export function rows(layer: usize): i32 {
  return load<i32>(layer, 24);
}
// @ts-ignore: decorator
@inline export function columns(layer: usize): i32 {
  return load<i32>(layer, 28);
}
// @ts-ignore: decorator
@inline export function xPixelBytes(layer: usize): i32 {
  return load<i32>(layer, 32);
}
// @ts-ignore: decorator
@inline export function xRowBytes(layer: usize): i32 {
  return load<i32>(layer, 36);
}
// @ts-ignore: decorator
@inline export function yRowBytes(layer: usize): i32 {
  return load<i32>(layer, 40);
}
// @ts-ignore: decorator
@inline export function yPixelBytes(layer: usize): i32 {
  return load<i32>(layer, 44);
}
// @ts-ignore: decorator
@inline export function weights(layer: usize): usize {
  return load<u32>(layer, 48);
}
// @ts-ignore: decorator
@inline export function blocks(layer: usize): usize {
  return load<u32>(layer, 52);
}
/** Address behind the last channel block. */
// @ts-ignore: decorator
@inline export function blocksEnd(layer: usize): usize {
  return blocks(layer) + <usize>load<u32>(layer, 56) * BLOCK_BYTES;
}
// @ts-ignore: decorator
@inline export function scratch(layer: usize): usize {
  return load<u32>(layer, 60);
}
// @ts-ignore: decorator
@inline export function zeroPoint(layer: usize): i32 {
  return load<i32>(layer, 64);
}
// @ts-ignore: decorator
@inline export function qmin(layer: usize): i32 {
  return load<i32>(layer, 68);
}
// @ts-ignore: decorator
@inline export function qmax(layer: usize): i32 {
  return load<i32>(layer, 72);
}
// @ts-ignore: decorator
@inline export function taps(layer: usize): usize {
  return load<u32>(layer, 76);
}
/** Address behind the last tap's offset. */
// @ts-ignore: decorator
@inline export function tapsEnd(layer: usize): usize {
  return taps(layer) + (load<u32>(layer, 80) << 2);
}
// @ts-ignore: decorator
@inline export function depth(layer: usize): i32 {
  return load<i32>(layer, 84);
}
// @ts-ignore: decorator
@inline export function groups(layer: usize): i32 {
  return load<i32>(layer, 88);
}
// @ts-ignore: decorator
@inline export function inRowBytes(layer: usize): i32 {
  return load<i32>(layer, 92);
}
// @ts-ignore: decorator
@inline export function inChannels(layer: usize): i32 {
  return load<i32>(layer, 96);
}
// @ts-ignore: decorator
@inline export function run(layer: usize): i32 {
  return load<i32>(layer, 100);
}
// @ts-ignore: decorator
@inline export function x2(layer: usize): usize {
  return load<u32>(layer, 104);
}
// @ts-ignore: decorator
@inline export function x2ImageBytes(layer: usize): i32 {
  return load<i32>(layer, 108);
}
// @ts-ignore: decorator
@inline export function x2RowBytes(layer: usize): i32 {
  return load<i32>(layer, 112);
}
// @ts-ignore: decorator
@inline export function x2PixelBytes(layer: usize): i32 {
  return load<i32>(layer, 116);
}
// @ts-ignore: decorator
@inline export function xStep(layer: usize): i32 {
  return load<i32>(layer, 120);
}
// @ts-ignore: decorator
@inline export function x2Step(layer: usize): i32 {
  return load<i32>(layer, 124);
}
// @ts-ignore: decorator
@inline export function scale(layer: usize): f32 {
  return load<f32>(layer, 128);
}

// @ts-ignore: decorator
@inline export function blockShift(block: usize): i32 {
  return load<i32>(block, 96);
}
// @ts-ignore: decorator
@inline export function blockChannel(block: usize): i32 {
  return load<i32>(block, 100);
}
// @ts-ignore: decorator
@inline export function blockCount(block: usize): i32 {
  return load<i32>(block, 104);
}
// @ts-ignore: decorator
@inline export function blockRule(block: usize): i32 {
  return load<i32>(block, 108);
}
// @ts-ignore: decorator
@inline export function blockInChannel(block: usize): i32 {
  return load<i32>(block, 112);
}
