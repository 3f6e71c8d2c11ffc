import { requantizeInteger } from "../../../assembly/layers/requantize-integer";
import { at, block, layer, offsets, out, prepare, sums } from "./one-block";

function run(pixels: i32): void {
  requantizeInteger(at(layer), at(block), at(out), at(offsets), at(sums), pixels);
}

describe("requantizeInteger", () => {
  it("halves, ties up, and saturates", () => {
    prepare(3, -128, 127, 8);
    // M = 1/2: multiplier 2^30, shift 0; brought to the block's shift 1 by 2.
    for (let i = 0; i < 8; ++i) {
      block[8 + i] = 1 << 30;
      block[16 + i] = 2;
    }
    const values: StaticArray<i32> = [1, -1, 3, -3, 0, 1000, -1000, 2];
    for (let i = 0; i < 8; ++i) sums[i] = values[i];
    run(1);
    const expected: StaticArray<i8> = [4, 3, 5, 2, 3, 127, -128, 4];
    for (let i = 0; i < 8; ++i) expect<i8>(out[i]).toBe(expected[i]);
    expect<i8>(out[8]).toBe(77);
  });

  it("keeps to qmin and qmax, qmin first, and writes count channels of each pixel", () => {
    prepare(0, -1, 2, 3);
    for (let i = 0; i < 8; ++i) {
      block[8 + i] = 1 << 30;
      block[16 + i] = 2;
      sums[i] = 10 * (i - 1);
      sums[8 + i] = 2;
    }
    run(2);
    const expected: StaticArray<i8> = [-1, 0, 2, 77, 77, 77, 77, 77, 1, 1, 1, 77];
    for (let i = 0; i < 12; ++i) expect<i8>(out[i]).toBe(expected[i]);
  });
});
