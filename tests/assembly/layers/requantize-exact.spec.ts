import { requantizeExact } from "../../../assembly/layers/requantize-exact";
import { at, block, layer, offsets, out, prepare, sums } from "./one-block";

describe("requantizeExact", () => {
  it("takes a shift of its own for each channel, ties up", () => {
    prepare(-5, -128, 127, 8);
    // M = 2^(-1 - shift).
    const shifts: StaticArray<i32> = [0, 0, 3, 3, 31, 31, -8, -8];
    const values: StaticArray<i32> = [1, -1, 8, -8, i32.MAX_VALUE, i32.MIN_VALUE, 1, -1];
    for (let i = 0; i < 8; ++i) {
      block[8 + i] = 1 << 30;
      block[16 + i] = shifts[i];
      sums[i] = values[i];
    }
    requantizeExact(at(layer), at(block), at(out), at(offsets), at(sums), 1);
    // 1/2 and -1/2; 1/2 and -1/2; just below 1/2 and -1/2; 128 and -128.
    const expected: StaticArray<i8> = [-4, -5, -4, -5, -5, -5, 123, -128];
    for (let i = 0; i < 8; ++i) expect<i8>(out[i]).toBe(expected[i]);
    expect<i8>(out[8]).toBe(77);
  });
});
