import { multiplyTiles } from "../../../assembly/layers/multiply-tiles";

describe("multiplyTiles", () => {
  it("two tiles of depth 2 over one B, from a bias", () => {
    const a = new StaticArray<i16>(16);
    const b = new StaticArray<i16>(16);
    const bias = new StaticArray<i32>(8);
    const sums = new StaticArray<i32>(65);
    for (let i = 0; i < 16; ++i) {
      a[i] = <i16>(i - 7);
      b[i] = <i16>(3 * i - 20);
    }
    for (let c = 0; c < 8; ++c) bias[c] = 1000 * c;
    sums.fill(77);
    const ptr = changetype<usize>(a);
    multiplyTiles(ptr, ptr + 32, 16, changetype<usize>(b), 32, changetype<usize>(bias), changetype<usize>(sums));
    for (let t = 0; t < 2; ++t) {
      for (let r = 0; r < 4; ++r) {
        for (let c = 0; c < 8; ++c) {
          const k = 8 * t + 2 * r;
          const sum = <i32>a[k] * b[2 * c] + <i32>a[k + 1] * b[2 * c + 1];
          expect<i32>(sums[32 * t + 8 * r + c]).toBe(1000 * c + sum);
        }
      }
    }
    expect<i32>(sums[64]).toBe(77);
  });
});
