import { winogradInput4, winogradOutput4 } from "../../../assembly/layers/winograd-f4";

describe("winograd, 4 x 4", () => {
  it("B' d B of one pixel is the outer product of a column of B'", () => {
    const d = new StaticArray<i8>(36 * 8);
    const work = new StaticArray<i16>(36 * 8);
    const t = new StaticArray<i16>(36 * 32);
    for (let c = 0; c < 8; ++c) d[8 * (2 * 6 + 3) + c] = 2;
    winogradInput4(changetype<usize>(d), 8, 48, changetype<usize>(work), changetype<usize>(t));
    const second: StaticArray<i32> = [-5, -4, -4, -1, -1, 0];
    const third: StaticArray<i32> = [0, 1, -1, 2, -2, -5];
    for (let i = 0; i < 6; ++i) {
      for (let j = 0; j < 6; ++j) {
        expect<i32>(t[32 * (6 * i + j)]).toBe(2 * second[i] * third[j]);
        expect<i32>(t[32 * (6 * i + j) + 7]).toBe(2 * second[i] * third[j]);
      }
    }
  });

  it("A' m A divides by its factors exactly, mod 2^32", () => {
    const m = new StaticArray<i32>(36 * 32);
    const work = new StaticArray<i32>(96);
    const results = new StaticArray<i32>(4 * 16 * 8);
    const bias = new StaticArray<i32>(8);
    bias.fill(100);
    // 576 = 24 * 24 at position (0, 0) of tile 1: only output (0, 0) reads it, times 36, over 576.
    for (let c = 0; c < 8; ++c) m[8 + c] = 576;
    winogradOutput4(changetype<usize>(m), changetype<usize>(work), changetype<usize>(results), changetype<usize>(bias));
    for (let c = 0; c < 8; ++c) {
      expect<i32>(results[128 + c]).toBe(136);
      expect<i32>(results[128 + 8 + c]).toBe(100);
      expect<i32>(results[c]).toBe(100);
    }
  });
});
