import { addCodes } from "../../../assembly/layers/add-codes";
import { at, block, expectCodes, layer, prepare, x, x2, y } from "./elementwise";

/** (2a + b + 2) >> 2 */
function setRule(): void {
  for (let lane = 0; lane < 8; ++lane) {
    block[lane] = 2;
    block[8 + lane] = 2;
    block[16 + lane] = 1;
  }
  block[24] = 2;
}

describe("addCodes", () => {
  it("ties up, saturates", () => {
    prepare(6);
    setRule();
    const a: StaticArray<i8> = [1, -1, 0, 0, 127, -128];
    const b: StaticArray<i8> = [0, 0, 1, -3, 127, -128];
    for (let i = 0; i < 6; ++i) {
      x[i] = a[i];
      x2[i] = b[i];
    }
    layer[16] = 50; // zeroPoint
    addCodes(at(layer), at(x), at(x2), at(y));
    expectCodes([51, 50, 50, 49, 127, -46]);
  });

  it("one code of the second input for all of a run of 8 and more", () => {
    prepare(11);
    setRule();
    layer[31] = 0; // x2Step
    for (let i = 0; i < 11; ++i) x[i] = <i8>(2 * i);
    x2[0] = 4;
    addCodes(at(layer), at(x), at(x2), at(y));
    expectCodes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});
