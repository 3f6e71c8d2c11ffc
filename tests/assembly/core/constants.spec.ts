import {
  beyondCodes,
  fieldMask,
  fixedZero,
  fractionMask,
  initConstants,
  laneBits,
  magicBits,
  magicF32,
  signBytes,
  upperHalves,
} from "../../../assembly/core/constants";

const constants = new StaticArray<u8>(64);
const block = changetype<usize>(constants);
memory.fill(block, 0xa5, 64);
const bytes = initConstants(block);

describe("initConstants", () => {
  it("returns the size of the block, a multiple of 16, and writes nothing behind it", () => {
    expect<usize>(bytes).toBe(48);
    expect<u8>(load<u8>(block, 48)).toBe(0xa5);
  });

  it("fills the block that the constants are loaded from", () => {
    expect<f32>(f32x4.extract_lane(magicF32(), 3)).toBe(12582912);
    expect<i32>(i32x4.extract_lane(magicBits(), 0)).toBe(reinterpret<i32>(<f32>12582912));
    expect<f32>(f32x4.extract_lane(beyondCodes(), 2)).toBe(1048576);
    expect<u8>(i8x16.extract_lane_u(fieldMask(4), 5)).toBe(15);
    expect<u8>(i8x16.extract_lane_u(fieldMask(2), 5)).toBe(3);
    expect<u8>(i8x16.extract_lane_u(fieldMask(1), 5)).toBe(1);
    expect<u8>(i8x16.extract_lane_u(laneBits(), 0)).toBe(1);
    expect<u8>(i8x16.extract_lane_u(laneBits(), 15)).toBe(128);
    expect<i32>(i32x4.extract_lane(fractionMask(), 3)).toBe(32767);
    expect<u16>(i16x8.extract_lane_u(fixedZero(), 7)).toBe(34560);
    expect<u16>(i16x8.extract_lane_u(upperHalves(), 7)).toBe(0x4b00);
    expect<u8>(i8x16.extract_lane_u(signBytes(), 15)).toBe(128);
  });
});
