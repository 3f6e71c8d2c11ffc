import { copyStrided } from "../../../assembly/layers/copy-strided";
import { lookUpCodes } from "../../../assembly/layers/look-up-codes";
import { softmax } from "../../../assembly/layers/softmax";
import { at, expectCodes, layer, prepare, x, y } from "./elementwise";

describe("copyStrided", () => {
  it("runs of every length", () => {
    for (let i = 0; i < 64; ++i) x[i] = <i8>i;
    for (let length = 1; length < 63; ++length) {
      prepare(length);
      copyStrided(at(layer), at(x), at(y));
      for (let i = 0; i < length; ++i) expect<i8>(y[i]).toBe(<i8>i);
      expect<i8>(y[length]).toBe(77);
    }
  });

  it("transposes", () => {
    for (let i = 0; i < 6; ++i) x[i] = <i8>i;
    prepare(3);
    layer[7] = 2; // columns
    layer[8] = 1; // xPixelBytes
    layer[11] = 3; // yPixelBytes
    layer[30] = 2; // xStep
    copyStrided(at(layer), at(x), at(y));
    expectCodes([0, 2, 4, 1, 3, 5]);
  });
});

describe("lookUpCodes", () => {
  it("entry q + 128 is the code of q", () => {
    const table = new StaticArray<i8>(256);
    for (let i = 0; i < 256; ++i) table[i] = <i8>(127 - i);
    prepare(3);
    layer[12] = <i32>at(table);
    x[0] = -128;
    x[1] = 0;
    x[2] = 127;
    lookUpCodes(at(layer), at(x), at(y));
    expectCodes([127, -1, -128]);
  });
});

describe("softmax", () => {
  it("of halves", () => {
    const table = new StaticArray<u32>(256);
    for (let i = 0; i < 24; ++i) table[i] = (1 << 23) >> i;
    prepare(3);
    layer[12] = <i32>at(table);
    x[0] = 6;
    x[1] = 5;
    x[2] = 5;
    softmax(at(layer), at(x), at(y));
    expectCodes([0, -64, -64]);
  });
});
