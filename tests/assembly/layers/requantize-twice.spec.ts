import { requantizeTwice } from "../../../assembly/layers/requantize-twice";
import { at, block, layer, offsets, out, prepare, sums } from "./one-block";

describe("requantizeTwice", () => {
  it("rounds twice: up first, then away from zero", () => {
    prepare(0, -128, 127, 6);
    // M = 2^(-1 - shift): high is the sum / 2, ties up, and then over 2^shift, ties away from zero.
    const shifts: StaticArray<i32> = [1, 1, 1, 0, 0, -2];
    const values: StaticArray<i32> = [1, -2, 3, 1, -1, 5];
    for (let i = 0; i < 6; ++i) {
      block[8 + i] = 1 << 30;
      block[16 + i] = shifts[i];
      sums[i] = values[i];
    }
    requantizeTwice(at(layer), at(block), at(out), at(offsets), at(sums), 1);
    // 1/4: 1, 1/2, 1. -2/4: -1, -1/2, -1. 3/4: 2, 1. 1/2: 1. -1/2: 0. 5 * 2: 20 / 2.
    const expected: StaticArray<i8> = [1, -1, 1, 1, 0, 10, 77];
    for (let i = 0; i < 7; ++i) expect<i8>(out[i]).toBe(expected[i]);
  });
});
