import { initConstants } from "../../../assembly/core/constants";
import { packBits, unpackBits } from "../../../assembly/kernels/pack-bits";

// A variable, or the collector would take the block away.
const constants = new StaticArray<u8>(48);
initConstants(changetype<usize>(constants));

describe("packBits", () => {
  it("puts the first code in the lowest bits and leaves unused bits 0", () => {
    const codes: StaticArray<u8> = [1, 2, 3];
    const packed: StaticArray<u8> = [255, 255, 255];
    packBits(changetype<usize>(codes), changetype<usize>(packed), 3, 4, 0);
    expect<u8>(packed[0]).toBe(0x21);
    expect<u8>(packed[1]).toBe(0x03);
    expect<u8>(packed[2]).toBe(255);
  });

  it("tells whether all codes fit, in whole vectors and behind them", () => {
    const codes = new StaticArray<i8>(35);
    const packed = new StaticArray<u8>(35);
    const from = changetype<usize>(codes);
    const to = changetype<usize>(packed);
    expect<i32>(packBits(from, to, 35, 2, 1)).toBe(1);
    for (let i = 0; i < 35; ++i) {
      codes[i] = -2;
      expect<i32>(packBits(from, to, 35, 2, 1)).toBe(1);
      expect<i32>(packBits(from, to, 35, 2, 0)).toBe(0);
      codes[i] = 2;
      expect<i32>(packBits(from, to, 35, 2, 1)).toBe(0);
      expect<i32>(packBits(from, to, 35, 2, 0)).toBe(1);
      codes[i] = 0;
    }
  });
});

describe("unpackBits", () => {
  it("inverts packBits for every width, sign and length, and writes nothing behind", () => {
    const codes = new StaticArray<i8>(67);
    const packed = new StaticArray<u8>(67);
    const again = new StaticArray<i8>(68);
    for (let bits = 1; bits <= 4; bits <<= 1) {
      for (let sign = 0; sign <= 1; ++sign) {
        const low = sign ? -(1 << (bits - 1)) : 0;
        for (let i = 0; i < 67; ++i) codes[i] = <i8>(low + (i * i) % (1 << bits));
        for (let n = 0; n <= 67; ++n) {
          again.fill(77);
          packBits(changetype<usize>(codes), changetype<usize>(packed), n, bits, sign);
          unpackBits(changetype<usize>(packed), changetype<usize>(again), n, bits, sign);
          for (let i = 0; i < n; ++i) expect<i8>(again[i]).toBe(codes[i]);
          expect<i8>(again[n]).toBe(77);
        }
      }
    }
  });
});
