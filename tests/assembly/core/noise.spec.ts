import { noiseLanes, writeNoiseTable } from "../../../assembly/core/noise";

// A variable, or the collector would take the table away.
const table = new StaticArray<i32>(4);
const at = changetype<usize>(table);
writeNoiseTable(at);

describe("noiseLanes", () => {
  it("are 2^24 times the noise of the definition", () => {
    const key = i32x4.splat(0x12345678);
    const index = i32x4(0, 1, 2, -1);
    const factor = v128.load32_splat(at);
    const second = v128.load32_splat(at, 4);
    const middle = v128.load32_splat(at, 8);
    const lanes = noiseLanes(key, index, factor, second, middle);
    expect<f32>(f32x4.extract_lane(lanes, 0)).toBe(7726876);
    expect<f32>(f32x4.extract_lane(lanes, 1)).toBe(-4229217);
    expect<f32>(f32x4.extract_lane(lanes, 2)).toBe(7186102);
    expect<f32>(f32x4.extract_lane(lanes, 3)).toBe(-6809231);
  });
});
