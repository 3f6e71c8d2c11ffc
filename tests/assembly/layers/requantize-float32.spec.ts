import { initLayerConstants } from "../../../assembly/core/layer-constants";
import { requantizeFloat32 } from "../../../assembly/layers/requantize-float32";
import { at, block, layer, offsets, out, prepare, sums } from "./one-block";

const constants = new StaticArray<i32>(16);

describe("requantizeFloat32", () => {
  it("ties to even before the zero point, clamped", () => {
    initLayerConstants((at(constants) + 15) & ~15);
    prepare(1, -100, 100, 8);
    const values: StaticArray<i32> = [1, 3, 5, -1, -3, -5, i32.MAX_VALUE, i32.MIN_VALUE];
    for (let i = 0; i < 8; ++i) {
      block[8 + i] = reinterpret<i32>(<f32>0.5);
      sums[i] = values[i];
      sums[8 + i] = 2 * i;
    }
    requantizeFloat32(at(layer), at(block), at(out), at(offsets), at(sums), 2);
    const expected: StaticArray<i8> = [1, 3, 3, 1, -1, -1, 100, -100, 1, 2, 3, 4, 5, 6, 7, 8, 77];
    for (let i = 0; i < 17; ++i) expect<i8>(out[i]).toBe(expected[i]);
  });
});
