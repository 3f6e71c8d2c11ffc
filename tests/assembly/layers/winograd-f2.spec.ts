import { winogradInput2, winogradOutput2 } from "../../../assembly/layers/winograd-f2";

describe("winograd, 2 x 2", () => {
  it("B' d B of extreme codes", () => {
    const d = new StaticArray<i8>(128);
    const t = new StaticArray<i16>(512);
    // Rows and columns 1 and 2 of -128, the rest 127.
    for (let i = 0; i < 16; ++i) {
      const inner = (i >> 2) % 3 != 0 && (i & 3) % 3 != 0;
      for (let c = 0; c < 8; ++c) d[8 * i + c] = inner ? -128 : 127;
    }
    winogradInput2(changetype<usize>(d), 8, 32, changetype<usize>(t));
    // Position (i, j), 32 i16 apart: (d0 - d2), (d1 + d2), (d2 - d1), (d1 - d3) along both axes.
    expect<i32>(t[0]).toBe(127 - 127 - 127 - 128);
    expect<i32>(t[32 * 5]).toBe(-512);
    expect<i32>(t[32 * 10]).toBe(0);
    expect<i32>(t[32 * 5 + 7]).toBe(-512);
  });

  it("A' m A / 4 + bias", () => {
    const m = new StaticArray<i32>(16 * 32);
    const results = new StaticArray<i32>(4 * 4 * 8);
    const bias = new StaticArray<i32>(8);
    for (let c = 0; c < 8; ++c) bias[c] = c;
    // Of tile 2 alone: 4 at every position.
    for (let p = 0; p < 16; ++p) for (let c = 0; c < 8; ++c) m[32 * p + 16 + c] = 4;
    winogradOutput2(changetype<usize>(m), changetype<usize>(results), changetype<usize>(bias));
    // Rows of A' sum to 3 and -1.
    const expected: StaticArray<i32> = [9, -3, -3, 1];
    for (let p = 0; p < 4; ++p) {
      for (let c = 0; c < 8; ++c) {
        expect<i32>(results[64 + 8 * p + c]).toBe(expected[p] + c);
        expect<i32>(results[8 * p + c]).toBe(c);
      }
    }
  });
});
