import { blockRule } from "../core/layer-words";
import { requantizeExact } from "./requantize-exact";
import { requantizeFloat32 } from "./requantize-float32";
import { requantizeInteger } from "./requantize-integer";
import { requantizeTwice } from "./requantize-twice";

// Sums become codes here, for all kernels: they leave their int32 sums in scratch that stays in the first cache, and the rule
// of the channel block says who goes on. So no kernel exists once per rule, and none but requantizeFloat32 has an opcode of
// floating point.
//
// Shapes (pointers are byte offsets in linear memory):
//   sums     i32[pixels, 8]   read, the bias included
//   offsets  u32[pixels]      read: where a pixel lies, from y; pixels to be dropped lie in scratch
//   y        i8               written: `count` codes from `channel` on of each pixel

/** Requantizes the sums of eight channels of `pixels` > 0 pixels. */
export function requantize(layer: usize, block: usize, y: usize, offsets: usize, sums: usize, pixels: i32): void {
  switch (blockRule(block)) {
    case 0:
      requantizeInteger(layer, block, y, offsets, sums, pixels);
      break;
    case 1:
      requantizeExact(layer, block, y, offsets, sums, pixels);
      break;
    case 2:
      requantizeFloat32(layer, block, y, offsets, sums, pixels);
      break;
    default:
      requantizeTwice(layer, block, y, offsets, sums, pixels);
  }
}
