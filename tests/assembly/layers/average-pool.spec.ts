import { averagePool } from "../../../assembly/layers/average-pool";
import { maxPool } from "../../../assembly/layers/max-pool";
import { initLayerConstants } from "../../../assembly/core/layer-constants";
import { at, expectCodes, layer, prepare, taps, x, y } from "./elementwise";

const constants = new StaticArray<i32>(16);

/** One window of two rows and `pixels` pixels over two channels. */
function prepareWindow(pixels: i32): void {
  prepare(2);
  initLayerConstants((at(constants) + 15) & ~15);
  layer[8] = 2; // xPixelBytes
  layer[23] = 2 * pixels; // inRowBytes
  taps[1] = 2;
  taps[3] = pixels;
}

describe("averagePool", () => {
  it("ties go away from code 0", () => {
    prepareWindow(1);
    const codes: StaticArray<i8> = [1, -1, 2, -2];
    for (let i = 0; i < 4; ++i) x[i] = codes[i];
    averagePool(at(layer), at(x), at(y));
    expectCodes([2, -2]);
  });

  it("clamps", () => {
    prepareWindow(3);
    for (let i = 0; i < 12; ++i) x[i] = i & 1 ? -128 : 127;
    layer[17] = -100; // qmin
    layer[18] = 100; // qmax
    averagePool(at(layer), at(x), at(y));
    expectCodes([100, -100]);
  });
});

describe("maxPool", () => {
  it("the largest of the window, clamped", () => {
    prepareWindow(3);
    for (let i = 0; i < 12; ++i) x[i] = <i8>(i & 1 ? -100 - i : i);
    layer[17] = -100; // qmin
    maxPool(at(layer), at(x), at(y));
    expectCodes([10, -100]);
  });
});
