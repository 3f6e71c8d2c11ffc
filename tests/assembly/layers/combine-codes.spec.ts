import { combineCodes } from "../../../assembly/layers/combine-codes";
import { at, block, expectCodes, layer, prepare, x, x2, y } from "./elementwise";

/** Sums over two, ties up: multiplier 1/2. */
function setRule(): void {
  for (let lane = 0; lane < 8; ++lane) {
    block[8 + lane] = 1 << 30;
    block[16 + lane] = 0;
  }
  block[27] = 1; // exact
}

describe("combineCodes", () => {
  it("multiplies differences", () => {
    prepare(5);
    setRule();
    block[28] = 10;
    block[29] = -10;
    const a: StaticArray<i8> = [10, 11, 9, 127, -128];
    const b: StaticArray<i8> = [5, -9, -9, 127, 127];
    for (let i = 0; i < 5; ++i) {
      x[i] = a[i];
      x2[i] = b[i];
    }
    combineCodes(at(layer), at(x), at(x2), at(y), 0);
    expectCodes([0, 1, 0, 127, -128]);
  });

  it("adds what tables say of codes", () => {
    prepare(3);
    setRule();
    const tables = new StaticArray<i32>(512);
    for (let i = 0; i < 256; ++i) {
      tables[i] = 2 * <i32>(<i8>i);
      tables[256 + i] = -2 * <i32>(<i8>i);
    }
    const a: StaticArray<i8> = [-128, 5, 127];
    const b: StaticArray<i8> = [-28, 7, 27];
    for (let i = 0; i < 3; ++i) {
      x[i] = a[i];
      x2[i] = b[i];
    }
    combineCodes(at(layer), at(x), at(x2), at(y), at(tables));
    expectCodes([-100, -2, 100]);
  });
});
